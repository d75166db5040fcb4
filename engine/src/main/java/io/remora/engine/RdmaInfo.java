package io.remora.engine;

import java.util.List;

/**
 * What has become of a node's RDMA.
 *
 * @param transport what was asked for: {@code prefer-rdma}, {@code require-rdma} or {@code tcp}
 * @param addresses where hosts connect by RDMA; empty: nowhere
 * @param warnings why there is less than what was asked for, and what to do; for as long as it is so
 * @param passedOver what was not taken where the node listens, and why
 */
public record RdmaInfo(String transport, List<RdmaAddress> addresses, List<String> warnings, List<String> passedOver) {
  /** Keeps copies of the lists. */
  public RdmaInfo {
    addresses = List.copyOf(addresses);
    warnings = List.copyOf(warnings);
    passedOver = List.copyOf(passedOver);
  }
}
