package io.remora.nvme.host;

import io.remora.base.Loop;
import java.util.UUID;

/**
 * Who this host is to the other end, for all queues and associations of a connection. Immutable.
 *
 * @param id the host identifier of Connect
 * @param nqn its name
 */
public record HostIdentity(UUID id, String nqn) {
  /** What {@code options} say; what they leave open is made up with {@code loop}'s randomness. */
  public static HostIdentity of(HostOptions options, Loop loop) {
    UUID id = options.hostId().orElseGet(() -> random(loop));
    return new HostIdentity(id, options.hostNqn().orElse("nqn.2014-08.org.nvmexpress:uuid:" + id));
  }

  private static UUID random(Loop loop) {
    // Version 4, variant 2.
    return new UUID((loop.random().nextLong() & ~0xf000L) | 0x4000, (loop.random().nextLong() >>> 2) | Long.MIN_VALUE);
  }
}
