package io.remora.bench.pair;

import io.remora.cli.load.PingPong;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes rounds of runs until there are enough pairs that count. A run counts when the processors kept their distance and nobody else used them; a
 * pair counts when both its runs do and had the same distance. Owned by the main thread.
 */
final class Bench {
  /** Runs are tried again so often before giving up, as a multiple of the pairs wanted. */
  private static final int TRIES_PER_PAIR = 4;
  private static final long SAMPLE_MS = 100;
  private static final long SETTLE_MS = 200;
  private static final long RUN_LIMIT_S = 60;

  /**
   * The settings.
   *
   * @param pairs how many pairs are wanted
   * @param nearNs round trips below mean that the processors are near
   * @param otherLimit more use by others voids a run, as a share
   */
  record Settings(int targetCore, int driverCore, String nqn, int rampSeconds, int seconds, int pairs, double nearNs,
      double otherLimit) {}

  private final Settings settings;
  private final PingPong pingPong;
  private final Path logs;
  private final Consumer<String> progress;

  Bench(Settings settings, PingPong pingPong, Path logs, Consumer<String> progress) {
    this.settings = settings;
    this.pingPong = pingPong;
    this.logs = logs;
    this.progress = progress;
  }

  /** A comparison while its pairs are being gathered. */
  private static final class Tally {
    final Summary.Kind kind;
    final int ours;
    final int peers;
    final List<Summary.Pair> near = new ArrayList<>();
    final List<Summary.Pair> far = new ArrayList<>();
    int rejected;

    Tally(Summary.Kind kind, int ours, int peers) {
      this.kind = kind;
      this.ours = ours;
      this.peers = peers;
    }

    int pairs() {
      return Math.max(near.size(), far.size());
    }
  }

  /**
   * Rounds in which on each of the two targets each driver, ours first, has its run, until there are enough pairs of each comparison that
   * count. All targets are held still between runs, and all but one during each.
   */
  List<Summary> rounds(List<Driver> drivers, Work work, Contestant ours, Contestant peer) {
    List<Contestant> targets = List.of(ours, peer);
    List<Tally> tallies = new ArrayList<>();
    int count = drivers.size();
    for (int i = 0; i < count; i++) {
      tallies.add(new Tally(Summary.Kind.TARGETS, i, count + i));
    }
    for (int i = 0; i < 2 && count == 2; i++) {
      tallies.add(new Tally(Summary.Kind.DRIVERS, 2 * i, 2 * i + 1));
    }
    targets.forEach(target -> warm(drivers.getLast(), work, target));
    int rounds = 0;
    while (rounds++ < settings.pairs * TRIES_PER_PAIR
        && tallies.stream().anyMatch(tally -> tally.pairs() < settings.pairs)) {
      List<Run> runs = new ArrayList<>();
      for (Contestant target : targets) {
        drivers.forEach(driver -> runs.add(run(driver, work, target)));
      }
      tallies.forEach(tally -> count(tally, runs));
    }
    return tallies.stream().map(tally -> summary(tally, drivers, work, targets)).toList();
  }

  private void count(Tally tally, List<Run> runs) {
    Run ours = runs.get(tally.ours);
    Run peers = runs.get(tally.peers);
    String why = whyNot(ours, peers);
    if (why == null) {
      (ours.distance(settings.nearNs) == Run.Distance.NEAR ? tally.near : tally.far)
          .add(new Summary.Pair(ours, peers));
    } else {
      tally.rejected++;
      progress.accept("    does not count: " + why);
    }
  }

  private static Summary summary(Tally tally, List<Driver> drivers, Work work, List<Contestant> targets) {
    boolean isNear = tally.near.size() >= tally.far.size();
    boolean ofTargets = tally.kind == Summary.Kind.TARGETS;
    Driver driver = drivers.get(tally.ours % drivers.size());
    Contestant target = targets.get(tally.ours / drivers.size());
    return new Summary(tally.kind, ofTargets ? driver.name() : target.name(),
        ofTargets ? target.name() : driver.name(),
        ofTargets ? targets.get(1).name() : drivers.get(1).name(), work,
        isNear ? Run.Distance.NEAR : Run.Distance.FAR, List.copyOf(isNear ? tally.near : tally.far), tally.rejected);
  }

  /** A run that is not looked at: compilers and caches get warm. */
  private void warm(Driver driver, Work work, Contestant target) {
    progress.accept("  " + driver.name() + ", " + work.title() + ": warming " + target.name());
    measure(driver, work, target);
  }

  private @Nullable String whyNot(Run a, Run b) {
    for (Run run : List.of(a, b)) {
      if (run.distance(settings.nearNs) == Run.Distance.MIXED) {
        return String.format(Locale.ROOT, "the processors moved during the run of %s on %s (%.0f ns, then %.0f ns)",
            run.driver(), run.target(), run.beforeNs(), run.afterNs());
      }
      if (run.use().other() > settings.otherLimit) {
        return String.format(Locale.ROOT, "others used %.1f %% of the processors during the run of %s on %s",
            run.use().other() * 100, run.driver(), run.target());
      }
    }
    return a.distance(settings.nearNs) == b.distance(settings.nearNs)
        ? null
        : "the processors moved between the two runs";
  }

  private Run run(Driver driver, Work work, Contestant target) {
    double before = pingPong.roundTripNs();
    Measured measured = measure(driver, work, target);
    Run run = new Run(driver.name(), target.name(), work, measured.figures, before, pingPong.roundTripNs(),
        measured.use,
        Congestion.now());
    progress.accept(String.format(Locale.ROOT,
        "    %-14s on %-8s %9.0f IOPS  p50 %7.1f  p99 %7.1f us  CPU target %3.0f %% driver %3.0f %% others %.1f %%  %s (%.0f, %.0f ns)",
        run.driver(), run.target(), run.figures().iops(), run.figures().p50Us(), run.figures().p99Us(),
        run.use().target() * 100,
        run.use().driver() * 100, run.use().other() * 100, run.distance(settings.nearNs).text(), run.beforeNs(),
        run.afterNs()));
    return run;
  }

  private record Measured(Figures figures, Samples.Use use) {}

  private Measured measure(Driver driver, Work work, Contestant target) {
    target.tree().resume();
    try {
      Programs.pause(SETTLE_MS);
      Path output = logs.resolve("driver.log");
      List<String> command = driver.command(work, new Driver.Place("127.0.0.1", target.port(), settings.nqn,
          settings.driverCore, settings.rampSeconds, settings.seconds));
      Process process = new ProcessBuilder(Programs.pinned(settings.driverCore, command)).redirectErrorStream(true)
          .redirectOutput(output.toFile()).start();
      Samples samples = new Samples(target.tree(), new ProcessTree(process.toHandle()));
      long deadline = System.nanoTime() + RUN_LIMIT_S * 1_000_000_000L;
      while (process.isAlive()) {
        samples.take();
        if (System.nanoTime() > deadline || !target.alive()) {
          new ProcessTree(process.toHandle()).end();
          throw new IllegalStateException("the run on " + target.name() + " did not end; see " + output);
        }
        Programs.pause(SAMPLE_MS);
      }
      Samples.Use use = samples.use(settings.seconds * 1_000_000_000L);
      return new Measured(driver.figures(Files.readString(output)), use);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      if (target.alive()) {
        target.tree().pause();
      }
    }
  }
}
