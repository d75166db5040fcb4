package io.remora.peers;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A stock Linux kernel with nvme-cli and fio, as host of a node's volumes. What is checked stands in {@code linux-host.sh}. */
@NeedsGuest
class LinuxHostPeer {
  private static final long BYTES = 256L << 20;
  private static final String ALLOWED = "nqn.2026-01.io.remora.test:allowed";

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void servesTheKernel(String kernel) {
    try (Node node = new Node("host-node-" + kernel, 512)) {
      String nqn = node.volume("open", BYTES);
      String uuid = node.command("volume", "show", "open").path("uuid").asText();
      String privateNqn = node.volume("private", 64L << 20, ALLOWED);
      Map<String, String> environment = Map.of("ADDRESS", "10.0.2.2", "PORT", Integer.toString(node.port()), "NQN", nqn,
          "BYTES", Long.toString(BYTES), "UUID", uuid, "PRIVATE_NQN", privateNqn, "ALLOWED_HOST", ALLOWED);
      Map<String, Guest.Answer> answers = Map.of(
          "used", words -> Long.toString(node.usedBytes()),
          "resize", words -> node.command("volume", "resize", "open", "--size", words.getFirst()).toString(),
          "connected",
          words -> node.command("volume", "show", "open").at("/publication/connected_hosts").asText());
      Guest.Config config = new Guest.Config("host-" + kernel, kernel, List.of("--smp", "2"), Duration.ofMinutes(5));
      try (Guest guest = new Guest(config, "linux-host.sh", environment, answers)) {
        guest.finish(28);
      }
    }
  }
}
