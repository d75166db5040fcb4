/**
 * The simulated twin of the ground floor: one thread, virtual time, one seed. The same seed and the same code repeat every
 * event, every loss and every torn write, so a failure's message holds all that is needed to see it again:
 * {@code -Dremora.seed=17} makes a test that takes its seeds from {@link io.remora.base.sim.Seeds} run with that one alone.
 *
 * <p>A {@link io.remora.base.sim.Simulation} holds {@linkplain io.remora.base.sim.SimMachine machines}. A machine runs one process
 * of one or more {@linkplain io.remora.base.sim.SimLoop loops}, to which code under test is given as to any other loop; it can be
 * killed, lose power, be paused and be started again. {@link io.remora.base.sim.SimDisk} is what is on its disks and how they
 * fail, {@link io.remora.base.sim.SimNet} the network and how it fails. {@link io.remora.base.sim.Recording} tries a crash at every
 * write of a scenario that runs once.
 *
 * <p>Beyond what the contracts ask for, the twins object to what works by luck elsewhere: an object used off its loop, memory
 * changed while a write is in flight, a socket that is not read until it is empty.
 */
@NullMarked
package io.remora.base.sim;

import org.jspecify.annotations.NullMarked;
