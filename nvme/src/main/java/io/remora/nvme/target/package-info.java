/**
 * The target: subsystems, their namespaces and controllers, the queue state machine and the command sets. It knows no transport: a
 * transport brings submission queue entries and moves data ({@link io.remora.nvme.target.Transport}).
 *
 * <p>{@link io.remora.nvme.target.Target} and {@link io.remora.nvme.target.Subsystem} may be used from any thread; what they
 * decide is published as immutable snapshots. A {@code Controller} belongs to the loop of its admin queue, a
 * {@link io.remora.nvme.target.QueuePair} to the loop of its connection; they talk by {@code Loop.execute}.
 */
@NullMarked
package io.remora.nvme.target;

import org.jspecify.annotations.NullMarked;
