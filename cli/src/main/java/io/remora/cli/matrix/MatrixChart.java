package io.remora.cli.matrix;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The matrix as pictures: for each measure one SVG file with a bar for each cell, cells of the same work side by side. */
final class MatrixChart {
  private static final List<String> COLOURS = List.of("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d");
  private static final int LABEL_WIDTH = 330;
  private static final int BAR_WIDTH = 420;
  private static final int BAR = 16;

  private MatrixChart() {}

  /** File names and contents. */
  static Map<String, String> charts(Collection<Outcome> outcomes) {
    Map<String, String> charts = new LinkedHashMap<>();
    charts.put("iops.svg", chart("Operations per second", outcomes, Outcome::iops));
    charts.put("latency.svg", chart("Median latency, us", outcomes, Outcome::p50Us));
    charts.put("cpu.svg", chart("Processor time of the host per operation, us", outcomes, Outcome::hostCpuUs));
    return charts;
  }

  private static String chart(String title, Collection<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
    List<String> transports = outcomes.stream().map(MatrixChart::series).distinct().toList();
    Map<Cell, List<Outcome>> groups = new LinkedHashMap<>();
    outcomes
        .forEach(outcome -> groups.computeIfAbsent(outcome.cell().without(), cell -> new ArrayList<>()).add(outcome));
    double most = Math.max(1e-9, outcomes.stream().mapToDouble(value).max().orElse(1));
    StringBuilder bars = new StringBuilder();
    int y = 64;
    for (Map.Entry<Cell, List<Outcome>> group : groups.entrySet()) {
      Cell cell = group.getKey();
      text(bars, 10, y + BAR - 4,
          String.format(Locale.ROOT, "%s, %d B, depth %d, %d loop%s, %s", cell.rw(), cell.blockBytes(), cell.ioDepth(),
              cell.loops(), cell.loops() == 1 ? "" : "s", cell.ends()));
      for (Outcome outcome : group.getValue()) {
        double width = Math.max(1, value.applyAsDouble(outcome) / most * BAR_WIDTH);
        bars.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
            LABEL_WIDTH, y, width,
            BAR - 2, COLOURS.get(transports.indexOf(series(outcome)) % COLOURS.size())));
        text(bars, LABEL_WIDTH + (int) width + 6, y + BAR - 4, number(value.applyAsDouble(outcome)));
        y += BAR;
      }
      y += 8;
    }
    StringBuilder svg = new StringBuilder();
    svg.append(String.format(Locale.ROOT,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">%n",
        LABEL_WIDTH + BAR_WIDTH + 90, y + 10));
    svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    svg.append("<text x=\"10\" y=\"22\" font-size=\"16\">").append(title).append("</text>\n");
    int x = 10;
    for (int i = 0; i < transports.size(); i++) {
      svg.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"34\" width=\"12\" height=\"12\" fill=\"%s\"/>%n", x,
          COLOURS.get(i % COLOURS.size())));
      text(svg, x + 17, 45, transports.get(i));
      x += 40 + 8 * transports.get(i).length();
    }
    return svg.append(bars).append("</svg>\n").toString();
  }

  private static String series(Outcome outcome) {
    return outcome.cell().sampling().equals(Cell.PROCESS) ? "in the process" : outcome.cell().transport();
  }

  private static void text(StringBuilder svg, int x, int y, String text) {
    svg.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">%s</text>%n", x, y, text));
  }

  private static String number(double value) {
    return value >= 10_000
        ? String.format(Locale.ROOT, "%.0f k", value / 1000)
        : String.format(Locale.ROOT, value >= 100 ? "%.0f" : "%.2f", value);
  }
}
