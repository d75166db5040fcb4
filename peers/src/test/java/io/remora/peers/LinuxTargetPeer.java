package io.remora.peers;

import com.fasterxml.jackson.databind.JsonNode;
import io.remora.peers.KernelTarget.Order;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our host against the kernel's own NVMe/TCP target: data verified, with and without digests, over broken connections. */
@NeedsGuest
class LinuxTargetPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:kernel";

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void usesTheKernelsTarget(String kernel) {
    int port = Processes.freePort();
    String uri = "nvmf+tcp://127.0.0.1:" + port + "/" + NQN;
    try (KernelTarget target = new KernelTarget("target-" + kernel, kernel, "linux-target.sh", NQN, port)) {
      transfers(uri);
      recovers(target, uri);
      target.finish(5);
    }
  }

  private static void transfers(String uri) {
    KernelTarget.verify(uri, "--bs", "4k", "--rw", "randrw", "--iodepth", "16", "--size", "4m");
    passed("4 KiB random, depth 16");
    KernelTarget.verify(uri + "?hdgst=1", "--bs", "16k", "--rw", "randwrite", "--iodepth", "8", "--size", "4m");
    passed("header digest, 16 KiB");
    KernelTarget.verify(uri + "?ddgst=1", "--bs", "512", "--rw", "randwrite", "--iodepth", "32", "--size", "512k");
    passed("data digest, 512 bytes");
    KernelTarget.verify(uri + "?hdgst=1&ddgst=1", "--bs", "1m", "--rw", "write", "--iodepth", "4", "--size", "16m");
    passed("both digests, 1 MiB");
    KernelTarget.verify(uri + "?queues=2&depth=16", "--bs", "64k", "--rw", "randrw", "--iodepth", "16", "--numjobs",
        "2", "--size", "16m");
    passed("2 queues of 16, 2 jobs, 64 KiB");
    KernelTarget.verify(uri + "?nsid=2&queues=1", "--bs", "4k", "--rw", "randrw", "--iodepth", "32", "--size", "4m");
    passed("namespace 2 with blocks of 4096 bytes, 1 queue");
  }

  /** The connection is taken away, and later the network stalls, while a run is on; it goes on afterwards, with nothing lost. */
  private static void recovers(KernelTarget target, String uri) {
    JsonNode said = target.verifyDuring(
        List.of(new Order("break", "the target ends all connections"),
            new Order("mend", "the target is back, and so is its host"),
            new Order("stall", "the network stalled for 3 s")),
        "target-recovery", uri + "?kato=2&hdgst=1", "--bs", "4k", "--rw", "randrw", "--iodepth", "4", "--size", "8m",
        "--runtime", "25");
    KernelTarget.assertInterrupted(said);
    passed("a run over a broken connection and a stalled network");
  }

  private static void passed(String what) {
    System.out.println("  ok   our host: " + what);
  }
}
