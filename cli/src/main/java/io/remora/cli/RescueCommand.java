package io.remora.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.pool.Finding.Severity;
import io.remora.block.pool.FoundVolume;
import io.remora.block.pool.PoolInspection;
import io.remora.cli.copy.Salvage;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora rescue}: volumes from bare disks, without a node, and without changing a byte of them. */
@Command(name = "rescue", description = {
  "Find pools and volumes on bare disks or files, without a node, and copy volumes out.",
  "Nothing is written to the disks. Both copies of all metadata are read and compared; what is missing",
  "or damaged is reported. Exit code 0: all is there; 1: something is missing, or it failed."}, footer = {"",
    "Examples:  remora rescue /dev/vdb /dev/vdc",
    "           remora rescue /srv/main.pool --export data --to data.img",
    "           remora rescue /srv/main.pool --export data --to - | zstd > data.img.zst", ""})
final class RescueCommand extends io.remora.cli.Command {
  private static final String STREAM = "-";

  @Parameters(arity = "1..*", paramLabel = "PATH", description = "The disks or files, as many of the pool's as there are.")
  List<Path> paths;

  @Option(names = "--export", paramLabel = "VOLUME", description = "Copy this volume out: NAME, POOL/NAME or its UUID.")
  @Nullable
  String volume;

  @Option(names = "--to", paramLabel = "FILE", description = "Where to; - for standard output. A file gets holes where there is nothing.")
  @Nullable
  String target;

  @Option(names = "--allow-missing", description = "Write zeros where data is, or may be, missing. Without it that ends the copy.")
  boolean allowMissing;

  @Option(names = "--force", description = "Replace a file that is there.")
  boolean force;

  @Override
  int run(Terminal terminal) throws Exception {
    String reference = volume;
    String to = target;
    if ((reference == null) != (to == null)) {
      throw usage("--export and --to go together");
    }
    if (STREAM.equals(to) && terminal.json()) {
      throw usage("--json and the data cannot both go to standard output");
    }
    if (to != null && !to.equals(STREAM) && Files.exists(Path.of(to)) && !force) {
      throw new RemoraException(Status.EXISTS, to + " is there already: name another file, or say --force");
    }
    try (Loops loops = Loops.start(Loops.Config.of("rescue", 1))) {
      Loop loop = loops.get(0);
      PoolInspection inspection = Inspections.run(terminal, loop, paths);
      try {
        return reference == null || to == null
            ? list(terminal, inspection)
            : export(terminal, loop, inspection.find(reference), to);
      } finally {
        Inspections.close(loop, inspection);
      }
    }
  }

  private static int list(Terminal terminal, PoolInspection inspection) {
    boolean whole = inspection.count(Severity.LOST) == 0;
    Inspections.print(terminal, inspection);
    if (terminal.json()) {
      terminal.result(Inspections.json(inspection, whole));
    }
    return whole ? 0 : Remora.FAILED;
  }

  private int export(Terminal terminal, Loop loop, FoundVolume found, String to)
      throws IOException, InterruptedException {
    Terminal notes = to.equals(STREAM) ? terminal.onlyNotes() : terminal;
    List<FoundVolume.Range> missing = found.missing();
    Inspections.print(notes, "missing", missing);
    if (!missing.isEmpty() && !allowMissing) {
      throw new RemoraException(Status.CORRUPT,
          ("of volume %s up to %s in %d ranges may be missing, because parts of pool %s"
              + " are; 'remora rescue' without --export says which; with --allow-missing they become zeros").formatted(
                  found.name(), Sizes.format(sum(missing)), missing.size(), found.pool().name()));
    }
    Salvage.Summary summary;
    try (Progress progress = new Progress(notes, System::nanoTime, "rescue", found.usedBytes())) {
      Salvage salvage = new Salvage(loop, found.device(), found.data(), allowMissing, progress::update);
      summary = to.equals(STREAM)
          ? salvage.run(new FileOutputStream(FileDescriptor.out).getChannel(), false)
          : toFile(salvage, Path.of(to));
    }
    Inspections.print(notes, "unreadable", summary.unreadable());
    notes.line("rescued " + found.name() + " to " + to + ": " + Sizes.format(found.sizeBytes()) + ", of which "
        + Sizes.format(summary.dataBytes()) + " data"
        + (summary.unreadable().isEmpty() ? "" : ", unreadable " + Sizes.format(sum(summary.unreadable())))
        + (missing.isEmpty() ? "" : ", possibly missing " + Sizes.format(sum(missing))));
    if (terminal.json()) {
      ObjectNode node = Terminal.object().put("ok", true).put("volume", found.name())
          .put("uuid", found.uuid().toString()).put("file", to).put("bytes", found.sizeBytes())
          .put("data_bytes", summary.dataBytes());
      Inspections.put(node.putArray("missing"), missing);
      Inspections.put(node.putArray("unreadable"), summary.unreadable());
      terminal.result(node);
    }
    return 0;
  }

  /** The file has its name when it is complete. */
  private static Salvage.Summary toFile(Salvage salvage, Path path) throws IOException, InterruptedException {
    Path partial = path.resolveSibling(path.getFileName() + ".partial");
    try {
      Salvage.Summary summary;
      try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING)) {
        summary = salvage.run(channel, true);
      }
      Files.move(partial, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      return summary;
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static long sum(List<FoundVolume.Range> ranges) {
    return ranges.stream().mapToLong(FoundVolume.Range::lengthBytes).sum();
  }
}
