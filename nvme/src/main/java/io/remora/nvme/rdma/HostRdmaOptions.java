package io.remora.nvme.rdma;

import io.remora.base.Check;

/**
 * Bounds of a host's RDMA connections.
 *
 * @param copyBytesPerLoop the most memory for what connections need themselves and for copies of data that lies in memory that is not registered, in bytes for each
 *     loop; at least 16 MiB
 * @param copyBytesPerQueue with devices that have no memory windows: the most memory for copies that one I/O queue has, in bytes; at least 4 MiB. All data goes through it then
 * @param reads how many reads of the controller's one connection serves at once, 1 to 128; fewer when the device takes fewer
 * @param bytes what may be registered
 */
public record HostRdmaOptions(long copyBytesPerLoop, long copyBytesPerQueue, int reads, RegisteredBytes bytes) {
  /** Checks the bounds. */
  public HostRdmaOptions {
    Check.argument(copyBytesPerLoop >= 16 << 20, "%d bytes for copies on a loop: at least 16 MiB", copyBytesPerLoop);
    Check.argument(copyBytesPerQueue >= 4 << 20, "%d bytes for copies of a queue: at least 4 MiB", copyBytesPerQueue);
    Check.argument(reads >= 1 && reads <= 128, "%d reads at once: 1 to 128", reads);
  }

  /** 128 MiB for a loop, 32 MiB for a queue, 64 reads at once. */
  public static HostRdmaOptions of(RegisteredBytes bytes) {
    return new HostRdmaOptions(128L << 20, 32L << 20, 64, bytes);
  }
}
