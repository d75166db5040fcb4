/**
 * A whole node, its disks, its hosts and the network between them in one thread and in virtual time: real code of the floors below on
 * the simulated loops of {@link io.remora.base.sim}, under a workload, with enemies, watched by checkers. A seed repeats a run. Knows
 * nothing of real time, threads or files.
 */
@NullMarked
package io.remora.sim;

import org.jspecify.annotations.NullMarked;
