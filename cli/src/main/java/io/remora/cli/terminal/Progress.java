package io.remora.cli.terminal;

import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Shows how far a long piece of work is: a bar that moves where a person watches, else a line now and then. One thread.
 */
public final class Progress implements AutoCloseable {
  private static final long MOVE_NS = 100_000_000L;
  private static final long LINE_NS = 10_000_000_000L;
  private static final int BAR = 24;

  private final Terminal terminal;
  private final LongSupplier clockNs;
  private final String label;
  private final long total;
  private final long beganNs;
  private long shownNs;
  private boolean moved;

  /** Work of {@code total} bytes; 0 when that is not known. {@code clockNs} counts nanoseconds. */
  public Progress(Terminal terminal, LongSupplier clockNs, String label, long total) {
    this.terminal = terminal;
    this.clockNs = clockNs;
    this.label = label;
    this.total = total;
    this.beganNs = clockNs.getAsLong();
    this.shownNs = beganNs;
  }

  /** {@code done} bytes are done; shows it when it is time to. */
  public void update(long done) {
    update(done, () -> describe(done));
  }

  /** As {@link #update(long)} with another text behind the bar. */
  public void update(long done, Supplier<String> text) {
    long now = clockNs.getAsLong();
    if (now - shownNs < (terminal.interactive() ? MOVE_NS : LINE_NS)) {
      return;
    }
    shownNs = now;
    moved = true;
    String line = label + " " + bar(done) + text.get();
    if (terminal.interactive()) {
      terminal.status(line);
    } else {
      terminal.note(line);
    }
  }

  /** Takes the bar away. */
  @Override
  public void close() {
    if (moved && terminal.interactive()) {
      terminal.status("");
    }
  }

  private String bar(long done) {
    if (total <= 0) {
      return "";
    }
    double share = Math.clamp(done / (double) total, 0, 1);
    String percent = String.format(Locale.ROOT, "%3d%% ", (int) (share * 100));
    if (!terminal.interactive()) {
      return percent;
    }
    int full = (int) (share * BAR);
    return "[" + "#".repeat(full) + "-".repeat(BAR - full) + "] " + percent;
  }

  private String describe(long done) {
    double seconds = Math.max(1, clockNs.getAsLong() - beganNs) / 1e9;
    double rate = done / seconds;
    String text = Sizes.format(done) + (total > 0 ? " of " + Sizes.format(total) : "") + ", "
        + Sizes.format((long) rate)
        + "/s";
    if (total > done && rate > 0) {
      text += String.format(Locale.ROOT, ", %d s left", (long) Math.ceil((total - done) / rate));
    }
    return text;
  }
}
