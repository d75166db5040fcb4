/**
 * The pool: disks that share their space among volumes, thin or thick. The format is in {@code docs/format/pool.md}, the reasons
 * for it in {@code docs/adr/0003}.
 *
 * <p>One loop owns a pool with all its metadata; volumes may be opened on any loop. This package knows nothing of who uses the
 * volumes.
 */
@NullMarked
package io.remora.block.pool;

import org.jspecify.annotations.NullMarked;
