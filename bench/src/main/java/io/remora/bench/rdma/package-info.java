/** How long RDMA takes between two processes of this machine ({@code bench/rdma}). */
@NullMarked
package io.remora.bench.rdma;

import org.jspecify.annotations.NullMarked;
