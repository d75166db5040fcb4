package io.remora.peers;

import io.remora.peers.KernelTarget.Order;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our host over two ports of the kernel's own NVMe/TCP target, while ANA states change and a port goes and comes: data verified. */
@NeedsGuest
class LinuxMultipathPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:multipath";

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void survivesTheLossOfPaths(String kernel) {
    int one = Processes.freePort();
    int two = Processes.freePort();
    String uri = "nvmf+tcp://127.0.0.1:" + one + ",127.0.0.1:" + two + "/" + NQN + "?kato=2&policy=round-robin";
    try (KernelTarget target = new KernelTarget("multipath-" + kernel, kernel, "linux-multipath.sh", NQN, one, two)) {
      target.verifyDuring(
          List.of(new Order("connected", "the host uses both ports"),
              new Order("inaccessible", "I/O leaves a port that becomes inaccessible"),
              new Order("non-optimized", "I/O prefers the optimized port"),
              new Order("remove", "a port is removed"),
              new Order("return", "the port is back, and so is its path")),
          "multipath", uri, "--bs", "4k", "--rw", "randrw", "--iodepth", "8", "--size", "16m", "--runtime", "45");
      target.finish(7);
    }
  }
}
