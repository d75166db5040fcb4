package io.remora.bench.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Small things around other programs. Any thread. */
final class Programs {
  private Programs() {}

  /** {@code commandLine} with {@code values} as variables, for a shell that becomes the program: its process is the program's. */
  static List<String> shell(String commandLine, Map<String, ?> values) {
    String assignments = values.entrySet().stream().sorted(Map.Entry.comparingByKey())
        .map(value -> value.getKey() + "='" + value.getValue() + "'").collect(Collectors.joining(" "));
    return List.of("sh", "-c", assignments + "; exec " + commandLine);
  }

  /** {@code command} with all its threads on one processor. */
  static List<String> pinned(int core, List<String> command) {
    List<String> pinned = new ArrayList<>(List.of("taskset", "-c", Integer.toString(core)));
    pinned.addAll(command);
    return pinned;
  }

  /** A TCP port of 127.0.0.1 that nobody uses now. */
  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void pause(long ms) {
    try {
      TimeUnit.MILLISECONDS.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
