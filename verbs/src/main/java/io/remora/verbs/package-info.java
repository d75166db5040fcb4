/**
 * RDMA verbs for the JVM: devices, protection domains, memory regions and windows, completion queues, queue pairs, shared receive
 * queues, work requests, and the connection manager. One interface; the providers under it are network cards ({@code ibverbs}),
 * iWARP over TCP in user space ({@code iwarp}), shared memory between processes ({@code shm}) and simulated ones ({@code sim}).
 *
 * <p>Names, numbers and semantics are those of libibverbs and librdmacm, unless a class says otherwise. Every object belongs to the loop
 * of its {@link io.remora.verbs.Context} and is used on that loop's thread only. This package knows nothing of storage.
 */
@NullMarked
package io.remora.verbs;

import org.jspecify.annotations.NullMarked;
