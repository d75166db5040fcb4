/**
 * One block device over several controllers of a subsystem: which path a request takes, and what becomes of it when that path
 * fails. Knows nothing of transports and of the target; what one path does by itself is in {@code io.remora.nvme.host}.
 */
@NullMarked
package io.remora.nvme.multipath;

import org.jspecify.annotations.NullMarked;
