package io.remora.cli.matrix;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Loops;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What a loop does that has run out of work; the same on both ends of a measurement. */
public enum Ends {
  /** It polls for ever. */
  POLL(Long.MAX_VALUE),
  /** It polls for a while if that has paid, and sleeps then: the default of every node and target. */
  ADAPT(Loops.Config.DEFAULT_SPIN_NS),
  /** It sleeps at once. */
  SLEEP(0);

  private final long spinNs;

  Ends(long spinNs) {
    this.spinNs = spinNs;
  }

  /** How long it polls at most, in nanoseconds; {@link Long#MAX_VALUE}: for ever. */
  public long spinNs() {
    return spinNs;
  }

  /** As {@code --spin-us} takes it. */
  public String spinUs() {
    return spinNs == Long.MAX_VALUE ? "-1" : String.valueOf(TimeUnit.NANOSECONDS.toMicros(spinNs));
  }

  ObjectNode write(ObjectNode node) {
    return node.put("ends", toString());
  }

  static Ends read(JsonNode node) {
    return valueOf(node.path("ends").asText().toUpperCase(Locale.ROOT));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
