/**
 * Block devices: what they are ({@link io.remora.block.BlockDevice}), how to do I/O on them from one loop
 * ({@link io.remora.block.BlockChannel}), and the devices of this floor: memory, null, file, delay, error, pool.
 *
 * <p>This package knows nothing of NVMe or of the network. A remote replica is a {@code BlockDevice} that a higher floor
 * provides.
 */
@NullMarked
package io.remora.block;

import org.jspecify.annotations.NullMarked;
