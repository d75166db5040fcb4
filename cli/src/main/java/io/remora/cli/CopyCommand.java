package io.remora.cli;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.copy.Copy;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.PublicationInfo;
import io.remora.engine.VolumeInfo;
import io.remora.engine.rpc.ControlClient;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.tcp.HostTcp;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code remora import} and {@code remora export}. The node publishes the volume to this process alone for as long as it lasts, and
 * the data goes over NVMe/TCP, as every host's.
 */
abstract class CopyCommand extends io.remora.cli.Command {
  private static final String STREAM = "-";

  @Mixin
  DataFolder data;

  /** Copies, and returns what was done. */
  abstract Copy.Summary copy(Terminal terminal, Loops loops, HostSession host, VolumeInfo volume)
      throws IOException, InterruptedException;

  /** Checks before anything is touched. */
  abstract void check(VolumeInfo volume) throws IOException;

  /** {@code remora import}. */
  @Command(name = "import", description = {"Copy a file or a stream into a volume, from its beginning.",
    "What lies behind the end of the file reads as zeros afterwards. Zeros take no space in a thin volume."}, footer = {
      "", "Examples:  remora import disk.img data", "           zstdcat disk.img.zst | remora import - data", ""})
  static final class In extends CopyCommand {
    @Parameters(index = "0", paramLabel = "FILE", description = "The file; - for standard input.")
    String file;

    @Parameters(index = "1", paramLabel = "VOLUME", description = "The volume: NAME, POOL/NAME or its UUID.")
    String volume;

    @Option(names = "--force", description = "Even while hosts are connected to the volume.")
    boolean force;

    @Override
    int run(Terminal terminal) throws Exception {
      if (!file.equals(STREAM) && !Files.isReadable(Path.of(file))) {
        throw new RemoraException(Status.NOT_FOUND, "cannot read " + file);
      }
      return run(terminal, volume, "imported " + file + " into " + volume);
    }

    @Override
    void check(VolumeInfo info) throws IOException {
      PublicationInfo publication = info.publication();
      if (publication != null && publication.connectedHosts() > 0 && !force) {
        throw new RemoraException(Status.BUSY,
            "volume " + info.name() + " is connected to " + publication.connectedHosts()
                + " hosts, which would not notice that its content changes: disconnect them, or say --force");
      }
      if (!file.equals(STREAM) && Files.size(Path.of(file)) > info.sizeBytes()) {
        throw new RemoraException(Status.NO_SPACE, file + " has " + Files.size(Path.of(file)) + " bytes and volume "
            + info.name() + " " + info.sizeBytes() + ": make it larger with 'remora volume resize'");
      }
    }

    @Override
    Copy.Summary copy(Terminal terminal, Loops loops, HostSession host, VolumeInfo info)
        throws IOException, InterruptedException {
      boolean blank = info.thin() && info.usedBytes() == 0;
      try (FileChannel source = file.equals(STREAM) ? null : FileChannel.open(Path.of(file), StandardOpenOption.READ);
          Progress progress = new Progress(terminal, System::nanoTime, "import", source == null ? 0 : source.size())) {
        Copy copy = new Copy(loops.get(0), host.device(), progress::update);
        return copy.in(source == null ? new FileInputStream(FileDescriptor.in).getChannel() : source, blank);
      }
    }
  }

  /** {@code remora export}. */
  @Command(name = "export", description = {"Copy all of a volume to a file or a stream.",
    "The file gets holes where the volume reads as zeros, and its name when it is complete."}, footer = {"",
      "Examples:  remora export data disk.img", "           remora export data - | zstd > disk.img.zst", ""})
  static final class Out extends CopyCommand {
    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume: NAME, POOL/NAME or its UUID.")
    String volume;

    @Parameters(index = "1", paramLabel = "FILE", description = "The file; - for standard output.")
    String file;

    @Option(names = "--force", description = "Replace a file that is there.")
    boolean force;

    @Override
    int run(Terminal terminal) throws Exception {
      if (file.equals(STREAM) && terminal.json()) {
        throw usage("--json and the data cannot both go to standard output");
      }
      if (!file.equals(STREAM) && Files.exists(Path.of(file)) && !force) {
        throw new RemoraException(Status.EXISTS, file + " is there already: name another file, or say --force");
      }
      return run(file.equals(STREAM) ? terminal.onlyNotes() : terminal, volume, "exported " + volume + " to " + file);
    }

    @Override
    void check(VolumeInfo info) {}

    @Override
    Copy.Summary copy(Terminal terminal, Loops loops, HostSession host, VolumeInfo info)
        throws IOException, InterruptedException {
      try (Progress progress = new Progress(terminal, System::nanoTime, "export", host.device().sizeBytes())) {
        Copy copy = new Copy(loops.get(0), host.device(), progress::update);
        return file.equals(STREAM)
            ? copy.out(new FileOutputStream(FileDescriptor.out).getChannel(), false)
            : toFile(copy, Path.of(file));
      }
    }

    private static Copy.Summary toFile(Copy copy, Path path) throws IOException, InterruptedException {
      Path partial = path.resolveSibling(path.getFileName() + ".partial");
      try {
        Copy.Summary summary;
        try (FileChannel target = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
          summary = copy.out(target, true);
        }
        Files.move(partial, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return summary;
      } finally {
        Files.deleteIfExists(partial);
      }
    }
  }

  final int run(Terminal terminal, String reference, String done) throws Exception {
    UUID hostId = UUID.randomUUID();
    String hostNqn = "nqn.2014-08.org.nvmexpress:uuid:" + hostId;
    long beganNs = System.nanoTime();
    try (ControlClient node = data.connect()) {
      check(find(node, reference));
      try (ControlClient.Lease lease = node.attachVolume(reference, hostNqn);
          Loops loops = Loops.start(Loops.Config.of("copy", 1));
          HostSession host = HostSession.connect(new HostTcp(), loops.all(),
              HostOptions.of(lease.address(), lease.nqn()).withHost(hostId, hostNqn), Optional.empty())) {
        Copy.Summary summary = copy(terminal, loops, host, lease.volume());
        report(terminal, lease.volume(), summary, done, System.nanoTime() - beganNs);
        return 0;
      }
    } catch (NoSuchFileException e) {
      throw new RemoraException(Status.NOT_FOUND, "there is no " + e.getFile(), e);
    } catch (IOException e) {
      throw new RemoraException(Status.MEDIUM_ERROR, "cannot copy: " + e.getMessage(), e);
    }
  }

  private static VolumeInfo find(ControlClient node, String reference) {
    return node.volumes().stream().filter(volume -> Shapes.matches(volume, reference)).findFirst()
        .orElseThrow(() -> new RemoraException(Status.NOT_FOUND,
            "there is no volume " + reference + "; 'remora volume list' shows what there is"));
  }

  private static void report(Terminal terminal, VolumeInfo volume, Copy.Summary summary, String done, long elapsedNs) {
    double seconds = elapsedNs / 1e9;
    terminal.line(String.format(Locale.ROOT, "%s: %s, of which %s zeros, in %.1f s", done,
        Sizes.format(summary.bytes()), Sizes.format(summary.zeroBytes()), seconds));
    terminal.line("sha256 " + summary.sha256());
    if (terminal.json()) {
      terminal.result(Terminal.object().put("ok", true).put("volume", volume.name()).put("bytes", summary.bytes())
          .put("zero_bytes", summary.zeroBytes()).put("sha256", summary.sha256())
          .put("seconds", Results.round(seconds, 3)));
    }
  }
}
