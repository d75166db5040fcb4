package io.remora.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.cli.SimSeeds.Failure;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Terminal;
import io.remora.sim.Outcome;
import io.remora.sim.Run;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code remora sim}. */
@Command(name = "sim", description = {"Look for bugs: run nodes, hosts, network and disks in a simulator.", "",
  "Each seed is a run of its own: a node with a pool, hosts that use its volumes, and enemies: lost connections,"
      + " partitions, kills, power losses, disk errors and more. Everything runs in one thread and in virtual time, so a"
      + " seed repeats a run event by event."}, footer = {"",
        "Examples:  remora sim --seeds 1000        a thousand seeds that nobody has tried",
        "           remora sim --minutes 30 --jobs 2",
        "           remora sim --seed 4711         one seed, with all that happens", ""})
final class SimCommand extends io.remora.cli.Command {
  private static final int DEFAULT_SEEDS = 200;
  private static final long POLL_MS = 100;
  private static final int TAIL_LINES = 40;

  @Option(names = "--seeds", paramLabel = "N", description = "How many seeds (default: " + DEFAULT_SEEDS + ").")
  @Nullable
  Integer seeds;

  @Option(names = "--minutes", paramLabel = "M", description = "For how long, instead of a number of seeds.")
  @Nullable
  Double minutes;

  @Option(names = "--seed", paramLabel = "S", description = "Run this seed alone and print all that happens.")
  @Nullable
  Long seed;

  @Option(names = "--first-seed", paramLabel = "S", description = "Where to begin to count (default: anywhere).")
  @Nullable
  Long firstSeed;

  @Option(names = "--jobs", paramLabel = "J", defaultValue = "1", description = "How many threads run seeds side by side (default: ${DEFAULT-VALUE}).")
  int jobs;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    check();
    // The classes of the simulated node check more when this comes before they are used.
    ClassLoader.getSystemClassLoader().setPackageAssertionStatus("io.remora", true);
    if (logLevel == LogLevel.warn) {
      // What a simulated node warns of is what its enemies do.
      ((Logger) LoggerFactory.getLogger("io.remora")).setLevel(Level.OFF);
    }
    Long one = seed;
    return one != null ? runOne(terminal, one) : runMany(terminal);
  }

  private void check() {
    int ways = (seed == null ? 0 : 1) + (seeds == null ? 0 : 1) + (minutes == null ? 0 : 1);
    Integer count = seeds;
    Double time = minutes;
    if (ways > 1) {
      throw usage("--seed, --seeds and --minutes exclude each other");
    }
    if (seed != null && firstSeed != null) {
      throw usage("--first-seed goes with --seeds or --minutes");
    }
    if (count != null && count < 1) {
      throw usage("--seeds " + count + ": at least 1");
    }
    if (time != null && !(time > 0 && time <= 100_000)) {
      throw usage("--minutes " + time + ": more than 0, and at most 100000");
    }
    if (jobs < 1 || jobs > 256) {
      throw usage("--jobs " + jobs + ": 1 to 256");
    }
  }

  private static int runOne(Terminal terminal, long seed) {
    Outcome outcome = Run.of(seed, terminal::line);
    if (terminal.json()) {
      terminal.result(describe(outcome).put("ok", outcome.ok()).put("failure", outcome.failure()));
    } else {
      terminal
          .line(String.format(Locale.ROOT, "seed %d %s: %d requests, %d events, %.3f s of virtual time, trace %016x",
              seed, outcome.ok() ? "ok" : "FAILED", outcome.requests(), outcome.events(), outcome.virtualNs() / 1e9,
              outcome.traceHash()));
    }
    return outcome.ok() ? 0 : Remora.FAILED;
  }

  private int runMany(Terminal terminal) throws InterruptedException {
    Long first = firstSeed;
    long begin = first == null ? new SplittableRandom().nextLong(1L << 40) : first;
    Double time = minutes;
    Integer count = seeds;
    long limitNs = time == null ? 0 : (long) (time * TimeUnit.MINUTES.toNanos(1));
    long last = time != null ? Long.MAX_VALUE : begin + (count == null ? DEFAULT_SEEDS : count) - 1;
    long beganNs = System.nanoTime();
    SimSeeds work = new SimSeeds(begin, last, limitNs, jobs, TAIL_LINES);
    try (Progress progress = new Progress(terminal, System::nanoTime, "seeds",
        limitNs > 0 ? limitNs : last - begin + 1)) {
      while (!work.await(POLL_MS)) {
        long done = work.done();
        long elapsedNs = System.nanoTime() - beganNs;
        progress.update(limitNs > 0 ? Math.min(elapsedNs, limitNs) : done,
            () -> done + " seeds, " + work.failures().size()
                + " failed" + remaining(done, last - begin + 1, limitNs, elapsedNs));
      }
    } finally {
      work.stop();
    }
    report(terminal, work, begin, (System.nanoTime() - beganNs) / 1e9);
    return work.failures().isEmpty() ? 0 : Remora.FAILED;
  }

  private static String remaining(long done, long total, long limitNs, long elapsedNs) {
    long leftNs = limitNs > 0 ? limitNs - elapsedNs : done == 0 ? 0 : (total - done) * (elapsedNs / done);
    return leftNs <= 0 ? "" : ", " + TimeUnit.NANOSECONDS.toSeconds(leftNs) + " s left";
  }

  private static void report(Terminal terminal, SimSeeds work, long first, double seconds) {
    List<Failure> failures = work.failures();
    if (terminal.json()) {
      ObjectNode node = Terminal.object().put("ok", failures.isEmpty()).put("seeds", work.done())
          .put("first_seed", first).put("failed", failures.size()).put("requests", work.requests())
          .put("elapsed_s", Results.round(seconds, 3));
      var list = node.putArray("failures");
      for (Failure failure : failures) {
        ObjectNode each = describe(failure.outcome()).put("failure", failure.outcome().failure()).put("repeat",
            repeat(failure.outcome()));
        failure.tail().forEach(each.putArray("trace")::add);
        list.add(each);
      }
      terminal.result(node);
      return;
    }
    failures.forEach(failure -> print(terminal, failure));
    terminal.line(String.format(Locale.ROOT, "%d seeds from %d on, %d requests, %.1f s: %s", work.done(), first,
        work.requests(), seconds, failures.isEmpty()
            ? "all held"
            : failures.size() + " FAILED"
                + (work.gaveUp() ? ", and no more were tried" : "")));
  }

  private static void print(Terminal terminal, Failure failure) {
    Outcome outcome = failure.outcome();
    terminal.line("seed " + outcome.seed() + " FAILED: " + outcome.failure());
    terminal.line("  world    " + outcome.shape());
    terminal.line("  enemies  " + (outcome.enemies().isEmpty() ? "none" : String.join(", ", outcome.enemies())));
    terminal.line("  at last");
    failure.tail().forEach(line -> terminal.line("    " + line));
    terminal.line("  repeat   " + repeat(outcome));
  }

  private static String repeat(Outcome outcome) {
    return "remora sim --seed " + outcome.seed();
  }

  private static ObjectNode describe(Outcome outcome) {
    ObjectNode node = Terminal.object().put("seed", outcome.seed()).put("world", outcome.shape());
    outcome.enemies().forEach(node.putArray("enemies")::add);
    return node.put("requests", outcome.requests()).put("events", outcome.events())
        .put("virtual_s", outcome.virtualNs() / 1e9).put("trace_hash", String.format(Locale.ROOT, "%016x",
            outcome.traceHash()));
  }
}
