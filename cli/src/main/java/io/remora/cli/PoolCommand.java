package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.DiskChoice;
import io.remora.engine.PoolInfo;
import io.remora.engine.rpc.ControlClient;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora pool …}. */
@Command(name = "pool", description = "Make and look after pools: disks or files that share space among volumes.", subcommands = {
  PoolCommand.Create.class, PoolCommand.Listing.class, PoolCommand.Show.class, PoolCommand.Grow.class,
  PoolCommand.Export.class, PoolCommand.Import.class, PoolFileCommand.Check.class, PoolFileCommand.Repair.class,
  PoolCommand.Destroy.class}, footer = {"", "Example:  remora pool create main /srv/main.pool:20GiB", ""})
final class PoolCommand extends CommandGroup {
  /** What all of them do: ask the node, print the pool. */
  abstract static class OnNode extends io.remora.cli.Command {
    @Mixin
    DataFolder data;

    abstract void run(Terminal terminal, ControlClient node);

    @Override
    final int run(Terminal terminal) {
      try (ControlClient node = data.connect()) {
        run(terminal, node);
      }
      return 0;
    }
  }

  /** {@code remora pool create}. */
  @Command(name = "create", description = "Make a pool on disks or files. What they held before is lost.", footer = {"",
    "Example:  remora pool create main /srv/main.pool:20GiB", ""})
  static final class Create extends OnNode {
    @Parameters(index = "0", paramLabel = "NAME", description = "The pool's name.")
    String name;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH[:SIZE]", converter = Disks.Converter.class, description = "A block device, or a file, which is made when a size is given.")
    List<DiskChoice> disks;

    @Option(names = "--cluster-size", paramLabel = "SIZE", converter = Sizes.Converter.class, defaultValue = "0", description = "The unit in which volumes get space, 64k to 64m (default: 1m).")
    long clusterBytes;

    @Option(names = "--force", description = "Also on disks that hold another pool, which is lost.")
    boolean force;

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.createPool(name, disks, clusterBytes, force), "created");
    }
  }

  /** {@code remora pool list}. */
  @Command(name = "list", description = "List the pools.", footer = {"", "Example:  remora pool list --json", ""})
  static final class Listing extends OnNode {
    @Override
    void run(Terminal terminal, ControlClient node) {
      List<PoolInfo> pools = node.pools();
      if (terminal.json()) {
        ObjectNode result = Terminal.object();
        ArrayNode list = result.putArray("pools");
        pools.forEach(pool -> list.add(Shapes.pool(pool)));
        terminal.result(result);
        return;
      }
      Table table = new Table("NAME", "STATE", ">CAPACITY", ">USED", ">AVAILABLE", ">VOLUMES", "DISKS");
      for (PoolInfo pool : pools) {
        table.row(pool.name(), pool.state(), Sizes.format(pool.space().capacityBytes()),
            Sizes.format(pool.space().usedBytes()), Sizes.format(pool.space().availableBytes()), pool.volumes(),
            disks(pool));
      }
      terminal.table(table);
      pools.stream().filter(pool -> !pool.reason().isEmpty())
          .forEach(pool -> terminal.line("pool " + pool.name() + ": " + pool.reason()));
    }
  }

  /** {@code remora pool show}. */
  @Command(name = "show", description = "Show one pool.", footer = {"", "Example:  remora pool show main", ""})
  static final class Show extends OnNode {
    @Parameters(paramLabel = "NAME", description = "The pool.")
    String name;

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.pools().stream().filter(pool -> pool.name().equals(name)).findFirst()
          .orElseThrow(() -> new RemoraException(Status.NOT_FOUND,
              "there is no pool " + name + "; 'remora pool list' shows what there is")),
          "");
    }
  }

  /** {@code remora pool grow}. */
  @Command(name = "grow", description = {"Take up space that the pool's disks have gained.",
    "A file is made longer when its new size is given."}, footer = {"",
      "Example:  remora pool grow main /srv/main.pool:40GiB", ""})
  static final class Grow extends OnNode {
    @Parameters(index = "0", paramLabel = "NAME", description = "The pool.")
    String name;

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "PATH:SIZE", converter = Disks.Converter.class, description = "A file of the pool, and how long to make it.")
    List<DiskChoice> disks = List.of();

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.growPool(name, disks), "now has this much space");
    }
  }

  /** {@code remora pool export}. */
  @Command(name = "export", description = {"Close a pool and forget it; it stays whole on its disks,",
    "for 'remora pool import' here or on another machine. Its volumes must not be published."}, footer = {"",
      "Example:  remora pool export main", ""})
  static final class Export extends OnNode {
    @Parameters(paramLabel = "NAME", description = "The pool.")
    String name;

    @Override
    void run(Terminal terminal, ControlClient node) {
      node.exportPool(name);
      done(terminal, name, "exported");
    }
  }

  /** {@code remora pool import}. */
  @Command(name = "import", description = "Open a pool that is on disks already.", footer = {"",
    "Example:  remora pool import /srv/main.pool", ""})
  static final class Import extends OnNode {
    @Parameters(arity = "1..*", paramLabel = "PATH", description = "All disks of the pool.")
    List<Path> paths;

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.importPool(paths), "imported");
    }
  }

  /** {@code remora pool destroy}. */
  @Command(name = "destroy", description = "Wipe a pool that has no volumes off its disks.", footer = {"",
    "Example:  remora pool destroy main", ""})
  static final class Destroy extends OnNode {
    @Parameters(paramLabel = "NAME", description = "The pool.")
    String name;

    @Override
    void run(Terminal terminal, ControlClient node) {
      node.destroyPool(name);
      done(terminal, name, "destroyed");
    }
  }

  private static void print(Terminal terminal, PoolInfo pool, String what) {
    if (terminal.json()) {
      terminal.result(Shapes.pool(pool));
      return;
    }
    PoolInfo.Space space = pool.space();
    terminal.line("pool " + pool.name() + (what.isEmpty() ? "" : " " + what));
    terminal.line("  state      " + pool.state() + (pool.reason().isEmpty() ? "" : ": " + pool.reason()));
    terminal.line("  uuid       " + pool.uuid());
    terminal.line("  disks      " + disks(pool));
    terminal.line("  capacity   " + Sizes.format(space.capacityBytes()) + " in clusters of "
        + Sizes.format(space.clusterBytes()));
    terminal.line("  used       " + Sizes.format(space.usedBytes()));
    terminal.line("  reserved   " + Sizes.format(space.reservedBytes()));
    terminal.line("  available  " + Sizes.format(space.availableBytes()));
    terminal.line("  volumes    " + pool.volumes());
  }

  private static void done(Terminal terminal, String name, String what) {
    terminal.line("pool " + name + " " + what);
    if (terminal.json()) {
      terminal.result(Terminal.object().put("ok", true).put("name", name));
    }
  }

  private static String disks(PoolInfo pool) {
    return pool.disks().stream().map(Path::toString).collect(Collectors.joining(", "));
  }
}
