package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Loop;
import io.remora.block.pool.Finding;
import io.remora.block.pool.FoundPool;
import io.remora.block.pool.FoundVolume;
import io.remora.block.pool.PoolInspection;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Inspects the disks of pools, without a node, and shows what was found. For a thread that may block. */
final class Inspections {
  private static final int MAX_LINES = 50;

  private Inspections() {}

  /** Inspects what is on {@code paths}; the caller closes it on {@code loop}. */
  static PoolInspection run(Terminal terminal, Loop loop, List<Path> paths) {
    try (Progress progress = new Progress(terminal, System::nanoTime, "inspect", 0)) {
      return Futures.await(Futures.on(loop, () -> PoolInspection.run(loop, paths, (done, total) -> progress.update(done,
          () -> Sizes.format(done) + " of " + Sizes.format(total) + " of metadata"))));
    }
  }

  static void close(Loop loop, PoolInspection inspection) {
    Futures.on(loop, () -> {
      inspection.close();
      return true;
    });
  }

  /** All findings, the worst first. */
  static List<Finding> findings(PoolInspection inspection) {
    return Stream.concat(inspection.findings().stream(),
        inspection.pools().stream().flatMap(pool -> pool.findings().stream()))
        .sorted((a, b) -> b.severity().compareTo(a.severity())).toList();
  }

  static void print(Terminal terminal, PoolInspection inspection) {
    for (FoundPool pool : inspection.pools()) {
      terminal.line("pool " + pool.name() + " (" + pool.uuid() + "), clusters of " + Sizes.format(pool.clusterBytes()));
      for (FoundPool.FoundDisk disk : pool.disks()) {
        terminal.line("  disk " + disk.index() + "  " + disk.path().map(Path::toString).orElse("MISSING")
            + disk.uuid().map(uuid -> "  (" + uuid + ")").orElse(""));
      }
      terminal.line("  " + Sizes.format(pool.totalBytes()) + ", used " + Sizes.format(pool.usedBytes())
          + (pool.lostBytes() > 0 ? ", not known " + Sizes.format(pool.lostBytes()) : "")
          + (pool.badBytes() > 0 ? ", bad " + Sizes.format(pool.badBytes()) : ""));
      if (!pool.volumes().isEmpty()) {
        Table table = new Table("VOLUME", ">SIZE", ">USED", "KIND", "STATE", "UUID");
        pool.volumes().forEach(volume -> table.row(volume.name(), Sizes.format(volume.sizeBytes()),
            Sizes.format(volume.usedBytes()), volume.thin() ? "thin" : "thick",
            volume.incomplete() ? "INCOMPLETE" : "whole", volume.uuid()));
        terminal.table(table);
      }
    }
    List<Finding> findings = findings(inspection);
    findings.stream().limit(MAX_LINES).forEach(finding -> terminal.line(finding.severity() + "  " + finding));
    int more = total(inspection) - Math.min(MAX_LINES, findings.size());
    if (more > 0) {
      terminal.line("and " + more + " findings more; --json lists up to a thousand of each pool");
    }
  }

  private static int total(PoolInspection inspection) {
    int total = 0;
    for (Finding.Severity severity : Finding.Severity.values()) {
      total += inspection.count(severity);
    }
    return total;
  }

  static ObjectNode json(PoolInspection inspection, boolean ok) {
    ObjectNode node = Terminal.object().put("ok", ok);
    ObjectNode counts = node.putObject("counts");
    for (Finding.Severity severity : Finding.Severity.values()) {
      counts.put(severity.name(), inspection.count(severity));
    }
    ArrayNode pools = node.putArray("pools");
    inspection.pools().forEach(pool -> pools.add(json(pool)));
    ArrayNode findings = node.putArray("findings");
    findings(inspection).forEach(finding -> findings.addObject().put("severity", finding.severity().name())
        .put("where", finding.where()).put("what", finding.what()));
    return node;
  }

  private static ObjectNode json(FoundPool pool) {
    ObjectNode node = Terminal.object().put("name", pool.name()).put("uuid", pool.uuid().toString())
        .put("cluster_bytes", pool.clusterBytes()).put("total_bytes", pool.totalBytes())
        .put("used_bytes", pool.usedBytes()).put("lost_bytes", pool.lostBytes()).put("bad_bytes", pool.badBytes());
    ArrayNode disks = node.putArray("disks");
    pool.disks().forEach(disk -> disks.addObject().put("index", disk.index())
        .put("uuid", disk.uuid().map(Object::toString).orElse(null))
        .put("path", disk.path().map(Object::toString).orElse(null)).put("missing", disk.missing()));
    ArrayNode volumes = node.putArray("volumes");
    for (FoundVolume volume : pool.volumes()) {
      volumes.addObject().put("name", volume.name()).put("uuid", volume.uuid().toString())
          .put("size_bytes", volume.sizeBytes()).put("block_bytes", volume.blockSize()).put("thin", volume.thin())
          .put("used_bytes", volume.usedBytes()).put("complete", !volume.incomplete());
    }
    return node;
  }

  /** Ranges as JSON. */
  static void put(ArrayNode node, List<FoundVolume.Range> ranges) {
    ranges.forEach(range -> node.addObject().put("offset_bytes", range.offsetBytes())
        .put("length_bytes", range.lengthBytes()));
  }

  /** Ranges for people. */
  static void print(Terminal terminal, String what, List<FoundVolume.Range> ranges) {
    ranges.stream().limit(MAX_LINES)
        .forEach(range -> terminal.line("  " + what + "  " + range.lengthBytes() + " bytes at " + range.offsetBytes()));
    if (ranges.size() > MAX_LINES) {
      terminal.line("  and " + (ranges.size() - MAX_LINES) + " ranges more; --json lists them all");
    }
  }
}
