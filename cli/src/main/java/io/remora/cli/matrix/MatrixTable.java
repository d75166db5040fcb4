package io.remora.cli.matrix;

import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The matrix as a Markdown table, each line beside TCP's of the same work where there is one. */
final class MatrixTable {
  private MatrixTable() {}

  static String markdown(Collection<Outcome> outcomes) {
    Map<Cell, Outcome> tcp = new HashMap<>();
    for (Outcome outcome : outcomes) {
      if (outcome.cell().transport().equals("tcp")) {
        tcp.put(outcome.cell().without(), outcome);
      }
    }
    StringBuilder text = new StringBuilder();
    text.append(
        "| load | transport | rw | bs | depth | loops | ends | cores | others % | IOPS | MiB/s | p50 us | p99 us | p99.9 us | host CPU us/IO")
        .append(" | target CPU us/IO | IOPS, p50, host CPU over TCP's |\n");
    text.append("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (Outcome o : outcomes) {
      Cell cell = o.cell();
      text.append(String.format(Locale.ROOT,
          "| %s | %s | %s | %d | %d | %d | %s | %s | %.0f | %.0f | %.0f | %.1f | %.1f | %.1f | %.2f | %.2f | %s |%n",
          cell.sampling(), cell.transport(), cell.rw(), cell.blockBytes(), cell.ioDepth(), cell.loops(),
          cell.ends(),
          o.cores(), 100 * o.others(), o.iops(), o.mibPerSecond(), o.p50Us(), o.p99Us(), o.p999Us(), o.hostCpuUs(),
          o.targetCpuUs(),
          beside(o, tcp.get(cell.without()))));
    }
    return text.toString();
  }

  private static String beside(Outcome o, @Nullable Outcome tcp) {
    if (tcp == null || tcp == o || !o.cell().sampling().equals(Cell.HOST)) {
      return "";
    }
    // Processors of another distance make more of a difference than transports do.
    return !o.cores().equals(tcp.cores())
        ? ""
        : String.format(Locale.ROOT, "%.2f, %.2f, %.2f", o.iops() / tcp.iops(), o.p50Us() / tcp.p50Us(),
            o.hostCpuUs() / tcp.hostCpuUs());
  }
}
