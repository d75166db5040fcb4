package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.Disks.NamedDisk;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.DiskChoice;
import io.remora.engine.Node;
import io.remora.engine.NodeInfo;
import io.remora.engine.PoolInfo;
import io.remora.engine.RdmaAddress;
import io.remora.engine.RdmaOptions;
import io.remora.engine.VolumeInfo;
import io.remora.engine.rpc.ControlServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora up}: the composition root of a node. */
@Command(name = "up", description = {"Run a storage node in the foreground, until it is stopped (Ctrl-C, SIGTERM).",
  "Everything that was made before is there again, after SIGKILL too. Prints one line when it serves."}, footer = {"",
    "Example:  remora up --data ~/remora --listen 192.0.2.10:4420 --pool main=/srv/main.pool:100GiB",
    "With RDMA, when there is a device:  add --rdma-enabled, and see 'remora status'", ""})
final class UpCommand extends io.remora.cli.Command {
  @Mixin
  DataFolder data;

  @Option(names = "--listen", paramLabel = "ADDR:PORT", converter = Converters.Address.class, defaultValue = "127.0.0.1:4420", description = "Where hosts connect (default: ${DEFAULT-VALUE}).")
  InetSocketAddress listen;

  @Mixin
  NodeRdmaOptions rdmaOptions;

  @Option(names = "--pool", paramLabel = "NAME=PATH[:SIZE]", converter = Disks.NamedConverter.class, description = "A pool to make, or to bring in when it is on that disk already; may be repeated.")
  List<NamedDisk> pools = List.of();

  @Option(names = "--loops", paramLabel = "N", defaultValue = "0", description = "How many loops serve I/O (default: one for each of --cores, else for half of the CPUs).")
  int loopCount;

  @Mixin
  LoopOptions loopOptions;

  @Option(names = "--until-stdin-ends", hidden = true, description = "Stop when standard input ends.")
  boolean untilStdinEnds;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    RdmaOptions rdma = rdma();
    Path folder = makeFolder(data.path());
    int count = loopCount > 0 || !loopOptions.cores.isEmpty()
        ? loopCount
        : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    try (Loops loops = loopOptions.start("node", count)) {
      Node node = Futures.join(Node.open(loops.all(), Node.Config.of(folder, listen).withRdma(rdma)));
      Ending ending = new Ending();
      try {
        pools.forEach(pool -> ensure(node, pool));
        ControlServer control = new ControlServer(node, VersionCommand.version());
        ready(terminal, node, folder);
        if (untilStdinEnds) {
          ending.askWhenStdinEnds();
        }
        ending.await();
        control.close();
      } finally {
        Futures.join(onLoop(node, node::close));
        ending.done();
      }
    }
    return 0;
  }

  private RdmaOptions rdma() {
    try {
      return rdmaOptions.options();
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
  }

  private static void ensure(Node node, NamedDisk wanted) {
    List<PoolInfo> known = Futures.on(node.loop(), node::pools);
    if (known.stream().anyMatch(pool -> pool.name().equals(wanted.name()))) {
      return;
    }
    DiskChoice disk = new DiskChoice(wanted.disk().path().toAbsolutePath().normalize(), wanted.disk().fileSizeBytes());
    try {
      Futures.join(onLoop(node, () -> node.createPool(wanted.name(), List.of(disk), 0, false)));
    } catch (RemoraException e) {
      if (e.status() != Status.EXISTS) {
        throw e;
      }
      PoolInfo found = Futures.join(onLoop(node, () -> node.importPool(List.of(disk.path()))));
      if (!found.name().equals(wanted.name())) {
        throw new RemoraException(Status.EXISTS, disk.path() + " holds pool " + found.name() + ", not "
            + wanted.name() + ": it was imported under its own name", e);
      }
    }
  }

  private static <T> CompletableFuture<T> onLoop(Node node, Supplier<CompletableFuture<T>> operation) {
    return Futures.on(node.loop(), operation);
  }

  private static void ready(Terminal terminal, Node node, Path folder) {
    NodeInfo info = Futures.on(node.loop(), node::info);
    List<RdmaAddress> rdma = info.rdma().addresses();
    List<PoolInfo> pools = Futures.on(node.loop(), node::pools);
    List<VolumeInfo> volumes = Futures.on(node.loop(), node::volumes);
    long published = volumes.stream().filter(volume -> volume.publication() != null).count();
    if (terminal.json()) {
      ObjectNode result = Terminal.object().put("ready", true).put("pid", ProcessHandle.current().pid())
          .put("data", folder.toString());
      ArrayNode at = result.putArray("listen");
      info.listeners().forEach(address -> at.add(Addresses.format(address)));
      result.set("rdma", StatusCommand.json(info.rdma()));
      terminal.result(result.put("pools", pools.size()).put("volumes", volumes.size()).put("published", published));
      return;
    }
    terminal.line("ready: node on " + folder + ", NVMe/TCP at "
        + String.join(", ", info.listeners().stream().map(Addresses::format).toList())
        + (rdma.isEmpty() ? "" : ", NVMe/RDMA at " + Shapes.text(rdma)) + ", pools: " + pools.size()
        + ", volumes: " + volumes.size() + ", published: " + published);
    pools.stream().filter(pool -> pool.state() != PoolInfo.State.ONLINE)
        .forEach(pool -> terminal.note("remora: pool " + pool.name() + " is not online: " + pool.reason()));
  }

  private static Path makeFolder(Path folder) {
    try {
      if (!Files.isDirectory(folder)) {
        Path parent = folder.getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        Files.createDirectory(folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      return folder.toRealPath();
    } catch (IOException e) {
      throw new RemoraException(Status.DENIED,
          "cannot make the data folder " + folder + ": " + e + "; name another one with --data", e);
    }
  }
}
