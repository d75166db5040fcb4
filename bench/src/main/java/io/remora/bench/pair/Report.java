package io.remora.bench.pair;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** The results, for people and for programs. */
final class Report {
  private final Map<String, String> conditions;
  private final List<Summary> summaries;

  /** {@code conditions} are printed above the tables, in their order. */
  Report(Map<String, String> conditions, List<Summary> summaries) {
    this.conditions = conditions;
    this.summaries = summaries;
  }

  /** Markdown: what it was measured on, and a table for each driver and peer. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    conditions.forEach((name, value) -> text.append("* ").append(name).append(": ").append(value).append('\n'));
    summaries.stream().map(Report::title).distinct().forEach(title -> table(text, title));
    return text.toString();
  }

  private static String title(Summary summary) {
    return switch (summary.kind()) {
      case TARGETS -> "Targets " + summary.ours() + " and " + summary.peer() + ", driven by " + summary.under();
      case DRIVERS -> "Drivers " + summary.ours() + " and " + summary.peer() + " on target " + summary.under();
    };
  }

  private void table(StringBuilder text, String title) {
    List<Summary> rows = summaries.stream().filter(row -> title(row).equals(title)).toList();
    String both = rows.getFirst().ours() + " / " + rows.getFirst().peer();
    text.append("\n### ").append(title).append("\n\n| work | ").append(rows.getFirst().ours()).append(" | ")
        .append(rows.getFirst().peer())
        .append(" | ratio, median (range) | bar | p50, p99, p99.9 us: ").append(both)
        .append(" | target CPU us per I/O | driver CPU us per I/O | processors | pairs |\n")
        .append("|---|---|---|---|---|---|---|---|---|---|\n");
    for (Summary row : rows) {
      text.append(row(row)).append('\n');
    }
  }

  private static String row(Summary row) {
    if (row.pairs().isEmpty()) {
      return "| " + row.work().title() + " | no pair counted | | | | | | | | 0 (" + row.rejected() + " rejected) |";
    }
    return String.format(Locale.ROOT,
        "| %s | %s | %s | **%.2f** (%.2f to %.2f) | %s | %s / %s | %.2f / %.2f | %.2f / %.2f | %s | %d (%d rejected) |",
        row.work().title(), rate(row.work(), row.ours(run -> run.figures().iops())),
        rate(row.work(), row.peers(run -> run.figures().iops())), row.ratio(Figures::iops), row.lowestRatio(),
        row.highestRatio(), bars(row), latency(row, true), latency(row, false), row.ours(Run::targetCpuUs),
        row.peers(Run::targetCpuUs), row.ours(Run::driverCpuUs), row.peers(Run::driverCpuUs), row.distance().text(),
        row.pairs().size(), row.rejected());
  }

  private static String bars(Summary row) {
    return Bar.of(row.kind(), row.work()).stream().map(bar -> bar.verdict(row)).collect(Collectors.joining("; "));
  }

  private static String rate(Work work, double iops) {
    return work.large()
        ? String.format(Locale.ROOT, "%.2f GB/s", iops * work.blockBytes() / 1e9)
        : String.format(Locale.ROOT, "%.1f k", iops / 1e3);
  }

  private static String latency(Summary row, boolean ours) {
    return String.format(Locale.ROOT, "%.1f, %.1f, %.1f", value(row, ours, Figures::p50Us),
        value(row, ours, Figures::p99Us), value(row, ours, Figures::p999Us));
  }

  private static double value(Summary row, boolean ours, ToDoubleFunction<Figures> of) {
    return ours ? row.ours(run -> of.applyAsDouble(run.figures())) : row.peers(run -> of.applyAsDouble(run.figures()));
  }

  /** Everything, run by run. */
  String json() {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    ObjectNode stated = all.putObject("conditions");
    conditions.forEach(stated::put);
    ArrayNode results = all.putArray("results");
    for (Summary summary : summaries) {
      ObjectNode result = results.addObject().put("compared", summary.kind().name().toLowerCase(Locale.ROOT))
          .put("under", summary.under()).put("ours", summary.ours()).put("peer", summary.peer())
          .put("work", summary.work().name()).put("processors", summary.distance().text())
          .put("rejected", summary.rejected());
      if (!summary.pairs().isEmpty()) {
        result.put("ratio", summary.ratio(Figures::iops));
        ArrayNode bars = result.putArray("bars");
        Bar.of(summary.kind(), summary.work()).forEach(bar -> bars.addObject().put("figure", bar.name())
            .put("ratio", summary.ratio(bar.figure())).put("limit", bar.limit()).put("passed", bar.passed(summary)));
      }
      ArrayNode pairs = result.putArray("pairs");
      for (Summary.Pair pair : summary.pairs()) {
        ObjectNode both = pairs.addObject();
        both.set("ours", run(pair.ours()));
        both.set("peers", run(pair.peers()));
      }
    }
    return all.toPrettyString() + "\n";
  }

  private static ObjectNode run(Run run) {
    ObjectNode node = JsonNodeFactory.instance.objectNode().put("driver", run.driver())
        .put("target", run.target())
        .put("iops", run.figures().iops());
    node.putObject("lat_us").put("p50", run.figures().p50Us()).put("p99", run.figures().p99Us()).put("p99_9",
        run.figures().p999Us());
    return node.put("target_cpu_us_per_io", run.targetCpuUs()).put("driver_cpu_us_per_io", run.driverCpuUs())
        .put("other_use", run.use().other()).put("steal", run.use().steal()).put("pingpong_before_ns", run.beforeNs())
        .put("pingpong_after_ns", run.afterNs()).put("congestion", run.congestion());
  }
}
