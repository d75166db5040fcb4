package io.remora.nvme.host;

import io.remora.base.BufferPool;
import io.remora.base.Loop;
import java.net.InetSocketAddress;

/** Makes the connections that carry queues: TCP, RDMA. From any thread, unless a method says otherwise. */
public interface HostTransport {
  /**
   * What a connection has to carry.
   *
   * @param address of the controller
   * @param queueId 0 for the admin queue
   * @param entries of the submission queue
   * @param slots how many commands there may be at once: their {@link HostCommand#slot} is below this
   * @param inCapsuleBytes how much data of a command to the controller may travel inside its capsule
   * @param headerDigest as in {@link HostOptions}
   * @param dataDigest as in {@link HostOptions}
   */
  record Link(InetSocketAddress address, int queueId, int entries, int slots, int inCapsuleBytes, boolean headerDigest,
      boolean dataDigest) {}

  /** For people: {@code tcp}, {@code rdma}. */
  String name();

  /** How much data of an admin or fabrics command may always travel inside its capsule, in bytes. */
  int adminCapsuleBytes();

  /** What the discovery log calls it. RDMA describes data by keyed SGLs, which the controller must know. */
  DiscoveryEntry.Transport type();

  /**
   * Begins to connect. The events come on {@code loop}, never before this has returned: {@link HostLink.Events#onReady} or
   * {@link HostLink.Events#onFailed}. There is no time-out: close the link.
   */
  HostLink connect(Loop loop, Link link, HostLink.Events events);

  /**
   * Commands on {@code loop} will have their data in buffers of {@code pool}, which belongs to it: a transport that can then spare copies makes its memory known. On the loop's thread. Until as many
   * times {@link #forget}.
   *
   * @throws io.remora.base.RemoraException NO_RESOURCES when there is more than may be made known
   */
  default void use(Loop loop, BufferPool pool) {}

  /** Undoes one {@link #use}, before the pool is closed; no command with data in the pool is under way. On the loop's thread. */
  default void forget(Loop loop, BufferPool pool) {}
}
