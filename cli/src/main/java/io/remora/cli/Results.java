package io.remora.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** How a measurement looks, to people and as JSON. */
final class Results {
  private Results() {}

  /** All of it, as {@code remora bench --json} prints it. */
  static ObjectNode full(String uri, Workload workload, Result result) {
    ObjectNode node = Terminal.object().put("ok", result.ok()).put("uri", uri)
        .put("rw", workload.pattern().toString()).put("bs", workload.blockBytes()).put("iodepth", workload.ioDepth())
        .put("numjobs", workload.jobs()).put("runtime_s", round(result.elapsedNs() / 1e9, 3))
        .put("iops", round(result.iops(), 1)).put("bw_bytes_per_s", Math.round(result.bytesPerSecond()));
    node.set("lat_us", latency(result.latencyNs()));
    node.set("read", direction(result.reads(), result));
    node.set("write", direction(result.writes(), result));
    node.put("driver_cpu_us_per_io", round(result.cpuPerOperationUs(), 2)).put("verified_bytes",
        result.verifiedBytes());
    var errors = node.putArray("errors");
    result.troubles().forEach(errors::add);
    return node;
  }

  /** Percentiles in microseconds. */
  static ObjectNode latency(Histogram histogram) {
    return Terminal.object().put("min", round(histogram.getTotalCount() == 0 ? 0 : histogram.getMinValue() / 1e3, 2))
        .put("mean", round(histogram.getTotalCount() == 0 ? 0 : histogram.getMean() / 1e3, 2))
        .put("p50", percentile(histogram, 50)).put("p99", percentile(histogram, 99))
        .put("p99_9", percentile(histogram, 99.9)).put("max", round(histogram.getMaxValue() / 1e3, 2));
  }

  /** One percentile in microseconds. */
  static double percentile(Histogram histogram, double percent) {
    return histogram.getTotalCount() == 0 ? 0 : round(histogram.getValueAtPercentile(percent) / 1e3, 2);
  }

  /** The same for people. */
  static void print(Terminal terminal, String uri, Workload workload, Result result) {
    terminal.line(String.format(Locale.ROOT, "%s  bs=%s iodepth=%d numjobs=%d  %.1f s on %s", workload.pattern(),
        Sizes.brief(workload.blockBytes()), workload.ioDepth(), workload.jobs(), result.elapsedNs() / 1e9, uri));
    print(terminal, "read ", result.reads(), result);
    print(terminal, "write", result.writes(), result);
    terminal.line(String.format(Locale.ROOT, "  CPU of this driver: %.2f us per I/O", result.cpuPerOperationUs()));
    if (workload.verify()) {
      terminal.line("  verified: " + Sizes.format(result.verifiedBytes())
          + (result.ok() ? ", all as written" : ""));
    }
  }

  /** A number for people: three digits and a unit. */
  static String count(double value) {
    return value >= 999_500
        ? String.format(Locale.ROOT, "%.2f M", value / 1e6)
        : value >= 99_950
            ? String.format(Locale.ROOT, "%.0f k", value / 1e3)
            : value >= 1_000
                ? String.format(Locale.ROOT, "%.1f k", value / 1e3)
                : String.format(Locale.ROOT, "%.0f", value);
  }

  static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }

  private static ObjectNode direction(Result.Direction direction, Result result) {
    double seconds = Math.max(1, result.elapsedNs()) / 1e9;
    ObjectNode node = Terminal.object().put("ios", direction.operations())
        .put("iops", round(direction.operations() / seconds, 1))
        .put("bw_bytes_per_s", Math.round(direction.bytes() / seconds));
    node.set("lat_us", latency(direction.latencyNs()));
    return node;
  }

  private static void print(Terminal terminal, String name, Result.Direction direction, Result result) {
    if (direction.operations() == 0) {
      return;
    }
    double seconds = Math.max(1, result.elapsedNs()) / 1e9;
    Histogram lat = direction.latencyNs();
    terminal.line(String.format(Locale.ROOT, "  %s  IOPS %s, %s/s", name, count(direction.operations() / seconds),
        Sizes.format((long) (direction.bytes() / seconds))));
    terminal.line(String.format(Locale.ROOT,
        "         latency us: min %.1f, mean %.1f, p50 %.1f, p99 %.1f, p99.9 %.1f, max %.1f", lat.getMinValue() / 1e3,
        lat.getMean() / 1e3, percentile(lat, 50), percentile(lat, 99), percentile(lat, 99.9), lat.getMaxValue() / 1e3));
  }
}
