/**
 * Event loops, sockets, disks, buffers, checksums and the status vocabulary.
 *
 * <p>This package knows nothing of block devices, NVMe or RDMA. Code above it reaches time, randomness, network and disks
 * only through {@link io.remora.base.Loop}, so that a simulator can take their place.
 */
@NullMarked
package io.remora.base;

import org.jspecify.annotations.NullMarked;
