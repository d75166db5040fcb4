package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.pool.Finding.Severity;
import io.remora.block.pool.Pool;
import io.remora.block.pool.PoolInspection;
import io.remora.cli.terminal.Terminal;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora pool check} and {@code remora pool repair}: on the disks themselves, which no node may have open. */
abstract class PoolFileCommand extends io.remora.cli.Command {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "All disks or files of the pool.")
  List<Path> paths;

  abstract int run(Terminal terminal, Loop loop);

  @Override
  final int run(Terminal terminal) {
    try (Loops loops = Loops.start(Loops.Config.of("pool", 1))) {
      return run(terminal, loops.get(0));
    }
  }

  static boolean sound(PoolInspection inspection) {
    return inspection.count(Severity.REPAIRABLE) == 0 && inspection.count(Severity.LOST) == 0;
  }

  /** {@code remora pool check}. */
  @Command(name = "check", description = {"Check the format of a pool that no node has open. Changes nothing.",
    "Exit code 0: all is well, or a crash left what the next import settles; 1: something is damaged."}, footer = {"",
      "Example:  remora pool check /srv/main.pool", ""})
  static final class Check extends PoolFileCommand {
    @Override
    int run(Terminal terminal, Loop loop) {
      PoolInspection inspection = Inspections.run(terminal, loop, paths);
      try {
        boolean sound = sound(inspection);
        Inspections.print(terminal, inspection);
        terminal.line(sound
            ? "no damage"
            : inspection.count(Severity.REPAIRABLE) + " repairable, " + inspection.count(Severity.LOST)
                + " not repairable; see 'remora pool repair --help' and 'remora rescue --help'");
        if (terminal.json()) {
          terminal.result(Inspections.json(inspection, sound));
        }
        return sound ? 0 : Remora.FAILED;
      } finally {
        Inspections.close(loop, inspection);
      }
    }
  }

  /** {@code remora pool repair}. */
  @Command(name = "repair", description = {
    "Repair the metadata of a pool that no node has open, as far as it can be decided:",
    "a bad copy is written anew from the good one, entries of deleted volumes are dropped.",
    "What is lost in both copies stays so and is reported. Exit code 0: no damage is left."}, footer = {"",
      "Example:  remora pool repair /srv/main.pool", ""})
  static final class Repair extends PoolFileCommand {
    @Option(names = "--accept-loss", description = {
      "Give up what is lost in both copies: its clusters become free, and read as zeros.",
      "Copy out with 'remora rescue' first what can be saved."})
    boolean acceptLoss;

    @Override
    int run(Terminal terminal, Loop loop) {
      PoolInspection before = Inspections.run(terminal, loop, paths);
      Inspections.print(terminal, before);
      Inspections.close(loop, before);
      if (before.pools().size() != 1 || !before.findings().isEmpty()) {
        throw new RemoraException(Status.INVALID,
            "these are not the disks of one pool: name all of one, and nothing else");
      }
      Pool pool = Futures.await(Futures.on(loop, () -> Pool.open(loop, paths)));
      List<String> done;
      try {
        if (acceptLoss && pool.damaged()) {
          Futures.await(Futures.on(loop, pool::acceptDamage));
        }
        done = Futures.on(loop, pool::problems);
      } finally {
        Futures.await(Futures.on(loop, pool::close));
      }
      PoolInspection after = Inspections.run(terminal, loop, paths);
      try {
        return report(terminal, before, after, done);
      } finally {
        Inspections.close(loop, after);
      }
    }

    private static int report(Terminal terminal, PoolInspection before, PoolInspection after, List<String> done) {
      boolean sound = sound(after);
      done.forEach(problem -> terminal.line("  " + problem));
      Inspections.findings(after).forEach(finding -> terminal.line("STILL  " + finding));
      terminal.line(sound
          ? "no damage is left"
          : after.count(Severity.REPAIRABLE) + after.count(Severity.LOST)
              + " findings are left; what was lost can be given up with --accept-loss");
      if (terminal.json()) {
        ObjectNode node = Terminal.object().put("ok", sound);
        ArrayNode actions = node.putArray("done");
        done.forEach(actions::add);
        node.set("before", Inspections.json(before, sound(before)));
        node.set("after", Inspections.json(after, sound));
        terminal.result(node);
      }
      return sound ? 0 : Remora.FAILED;
    }
  }
}
