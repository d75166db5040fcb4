package io.remora.bench.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kernel's congestion control for new connections, set for the time of the measurements where that is permitted. */
final class Congestion implements AutoCloseable {
  private static final Path SETTING = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");

  private final String before = now();

  /** Sets {@code wanted}; with an empty one, or where it is not permitted, things stay as they are. */
  Congestion(String wanted) {
    if (!wanted.isEmpty() && !wanted.equals(before)) {
      try {
        Files.writeString(SETTING, wanted);
      } catch (IOException e) {
        System.err.println("cannot set the congestion control (" + e + "): it stays " + before);
      }
    }
  }

  /** What new connections get. */
  static String now() {
    try {
      return Files.readString(SETTING).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (!now().equals(before)) {
      try {
        Files.writeString(SETTING, before);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
