/** Measures RDMA itself, over any provider: the two ends of {@code remora rdma perf} and {@code remora rdma ping}. */
@NullMarked
package io.remora.cli.rdma;

import org.jspecify.annotations.NullMarked;
