package io.remora.nvme.host;

import io.remora.base.Loop;
import java.net.InetSocketAddress;

/** Makes the connections that carry queues: TCP, RDMA. Stateless; from any thread. */
public interface HostTransport {
  /**
   * What a connection has to carry.
   *
   * @param address of the controller
   * @param queueId 0 for the admin queue
   * @param slots how many commands there may be at once: their {@link HostCommand#slot} is below this
   * @param inCapsuleBytes how much data of a command to the controller may travel inside its capsule
   * @param headerDigest as in {@link HostOptions}
   * @param dataDigest as in {@link HostOptions}
   */
  record Link(InetSocketAddress address, int queueId, int slots, int inCapsuleBytes, boolean headerDigest,
      boolean dataDigest) {}

  /** For people: {@code tcp}. */
  String name();

  /**
   * Begins to connect. The events come on {@code loop}, never before this has returned: {@link HostLink.Events#onReady} or
   * {@link HostLink.Events#onFailed}. There is no time-out: close the link.
   */
  HostLink connect(Loop loop, Link link, HostLink.Events events);
}
