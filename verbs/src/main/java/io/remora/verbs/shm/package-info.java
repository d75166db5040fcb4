/**
 * RDMA between processes of one machine and one user through shared memory: no privilege, no kernel module. A write, read or atomic is one copy by the requester in the mapped memory of
 * the other process, whose processor does nothing; messages go through a ring in memory that both map. A local socket per connection carries the handshake and the descriptors of memory,
 * wakes a sleeping peer, and ends with the process at either end, whatever kills it.
 *
 * <p>What a peer writes to shared memory is input like any other: read once, and checked before it is used.
 */
@NullMarked
package io.remora.verbs.shm;

import org.jspecify.annotations.NullMarked;
