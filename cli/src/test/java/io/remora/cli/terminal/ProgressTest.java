package io.remora.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long nowNs = 7_000_000_000L;

  private Terminal terminal(boolean interactive) {
    return new Terminal(new PrintStream(new ByteArrayOutputStream()),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        interactive, false);
  }

  private String shown() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void writesALineNowAndThenWhereNobodyWatches() {
    try (Progress progress = new Progress(terminal(false), () -> nowNs, "import", 100 << 20)) {
      for (int second = 1; second <= 25; second++) {
        nowNs += 1_000_000_000L;
        progress.update((long) second << 20);
      }
    }
    assertThat(shown().lines()).containsExactly("import  10% 10 MiB of 100 MiB, 1 MiB/s, 90 s left",
        "import  20% 20 MiB of 100 MiB, 1 MiB/s, 80 s left");
  }

  @Test
  void movesABarWhereSomebodyWatchesAndTakesItAway() {
    try (Progress progress = new Progress(terminal(true), () -> nowNs, "export", 4096)) {
      nowNs += 500_000_000L;
      progress.update(2048);
    }
    assertThat(shown()).isEqualTo(
        "\r\u001b[Kexport [############------------]  50% 2 KiB of 4 KiB, 4 KiB/s, 1 s left\r\u001b[K");
  }

  @Test
  void saysNothingAboutWhatIsSoonDone() {
    try (Progress progress = new Progress(terminal(false), () -> nowNs, "import", 0)) {
      nowNs += 1_000_000L;
      progress.update(1);
    }
    assertThat(shown()).isEmpty();
  }
}
