/** Which provider and device carries RDMA on this machine, by policy, and why the others do not. */
@NullMarked
package io.remora.verbs.provider;

import org.jspecify.annotations.NullMarked;
