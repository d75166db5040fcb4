package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.peers.KernelTarget.Order;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** NVMe/RDMA with the Linux kernel at the other end: over soft iWARP with ours outside of the guest, and over soft RoCE and soft iWARP with ours inside, through libibverbs. */
@NeedsGuest
class LinuxNvmeRdmaPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:rdma";
  private static final long BYTES = 64L << 20;

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void servesTheKernelOverIwarp(String kernel) throws IOException {
    Path folder = Files.createTempDirectory("remora-rdma-");
    int port = Processes.freePort();
    List<String> arguments = List.of("target", "--device", "file:" + folder.resolve("disk") + ":" + BYTES, "--nqn", NQN,
        "--listen",
        "127.0.0.1:" + port, "--transport", "rdma", "--provider", "iwarp");
    try (RemoraProcess target = new RemoraProcess("rdma-target", arguments, Pattern.compile("^ready: "))) {
      Map<String, String> environment = Map.of("ADDRESS", "10.0.2.2", "PORT", Integer.toString(port), "NQN", NQN,
          "BYTES",
          Long.toString(BYTES), "TRANSPORT", "rdma");
      Map<String, Guest.Answer> answers = Map.of("kill", words -> {
        target.kill();
        return "killed";
      }, "restart", words -> {
        target.restart();
        return "started again";
      });
      Guest.Config config = new Guest.Config("rdma-host-" + kernel, kernel, List.of("--smp", "2"),
          Duration.ofMinutes(5));
      try (Guest guest = new Guest(config, "rdma-host.sh", environment, answers)) {
        guest.finish(13);
      }
      assertThat(target.terminate()).as("exit code after SIGTERM").isZero();
    } finally {
      Processes.deleteTree(folder);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void usesTheKernelsTargetOverIwarp(String kernel) {
    int port = Processes.freePort();
    String uri = "nvmf+rdma://127.0.0.1:" + port + "/" + NQN + "?provider=iwarp";
    try (KernelTarget target = new KernelTarget("rdma-target-" + kernel, kernel, "rdma-target.sh", NQN, port)) {
      verified(uri, "--bs", "4k", "--rw", "randrw", "--iodepth", "16", "--size", "4m");
      verified(uri, "--bs", "512", "--rw", "randwrite", "--iodepth", "32", "--size", "512k");
      verified(uri + "&queues=2&depth=16", "--bs", "64k", "--rw", "randrw", "--iodepth", "16", "--numjobs", "2",
          "--size", "16m");
      verified(uri, "--bs", "1m", "--rw", "write", "--iodepth", "4", "--size", "16m");
      KernelTarget.assertInterrupted(target.verifyDuring(
          List.of(new Order("break", "the target ends all connections"), new Order("mend", "the target is back")),
          "rdma-recovery", uri + "&kato=2", "--bs", "4k", "--rw", "randrw", "--iodepth", "4", "--size", "8m",
          "--runtime", "20"));
      target.finish(4);
    }
  }

  private static void verified(String uri, String... options) {
    KernelTarget.verify(uri, options);
    System.out.println("  ok   our host: " + String.join(" ", options));
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void worksWithTheKernelOverRoce(String kernel) {
    inTheGuest(kernel, "rxe", "RoCEv2", "roce-v2");
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void worksWithTheKernelOverSoftIwarp(String kernel) {
    inTheGuest(kernel, "siw", "iWARP", "iwarp");
  }

  private static void inTheGuest(String kernel, String kind, String fabric, String type) {
    List<String> options = new ArrayList<>(
        List.of("--smp", "2", "--mem", "2048", "--java", System.getProperty("java.home")));
    String inside = GuestClassPath.share(options);
    Guest.Config config = new Guest.Config("rdma-" + kind + "-" + kernel, kernel, options, Duration.ofMinutes(5));
    Map<String, String> environment = Map.of("NQN", NQN, "CLASS_PATH", inside, "KIND", kind, "FABRIC", fabric, "TYPE",
        type);
    try (Guest guest = new Guest(config, "rdma-ibverbs.sh", environment, Map.of())) {
      guest.finish(3);
    }
  }
}
