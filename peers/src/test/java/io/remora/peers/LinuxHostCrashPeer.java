package io.remora.peers;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A stock Linux kernel with an ext4 file system and fio on volumes of a node that is killed under it: nothing that was
 * acknowledged is lost, and the kernel goes on by itself. What is checked stands in {@code crash.sh}.
 */
@NeedsGuest
class LinuxHostCrashPeer {
  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void losesNothing(String kernel) {
    try (Node node = new Node("crash-node-" + kernel, 384)) {
      Map<String, String> environment = Map.of("ADDRESS", "10.0.2.2", "PORT", Integer.toString(node.port()), "NQN",
          node.volume("files", 256L << 20), "RAW_NQN", node.volume("raw", 64L << 20));
      RemoraProcess process = node.process();
      Map<String, Guest.Answer> answers = Map.of(
          "kill", words -> killed(process),
          "restart", words -> restarted(process),
          "crash", words -> killed(process) + ", " + restarted(process),
          "end", words -> ended(process::terminate) + ", " + restarted(process));
      Guest.Config config = new Guest.Config("crash-" + kernel, kernel, List.of("--smp", "2"), Duration.ofMinutes(5));
      try (Guest guest = new Guest(config, "crash.sh", environment, answers)) {
        guest.finish(9);
      }
    }
  }

  private static String killed(RemoraProcess process) {
    process.kill();
    return "killed";
  }

  private static String restarted(RemoraProcess process) {
    process.restart();
    return "started again";
  }

  private static String ended(IntSupplier terminate) {
    int code = terminate.getAsInt();
    if (code != 0) {
      throw new AssertionError("exit code " + code + " after SIGTERM");
    }
    return "ended";
  }
}
