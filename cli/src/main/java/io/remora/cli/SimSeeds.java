package io.remora.cli;

import io.remora.sim.Outcome;
import io.remora.sim.Run;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Runs seeds in threads of its own, one after another in each. From any thread. */
final class SimSeeds {
  /** So many failures are enough. */
  private static final int MOST_FAILURES = 10;

  /** A seed that failed, and the last lines of its trace. */
  record Failure(Outcome outcome, List<String> tail) {}

  private final AtomicLong next;
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong requests = new AtomicLong();
  private final long last;
  private final long endNs;
  private final boolean limited;
  private final int tailLines;
  private final CountDownLatch running;
  private final List<Failure> failures = new ArrayList<>();
  private volatile boolean stopped;

  /** Begins with the seeds from {@code first} to {@code last}, in {@code jobs} threads, for {@code limitNs} at most unless that is 0. */
  SimSeeds(long first, long last, long limitNs, int jobs, int tailLines) {
    this.next = new AtomicLong(first);
    this.last = last;
    this.limited = limitNs > 0;
    this.endNs = System.nanoTime() + limitNs;
    this.tailLines = tailLines;
    this.running = new CountDownLatch(jobs);
    for (int i = 0; i < jobs; i++) {
      Thread.ofPlatform().daemon().name("sim-" + i).start(this::work);
    }
  }

  /** Waits for the end for {@code ms} milliseconds; true when it has come. */
  boolean await(long ms) throws InterruptedException {
    return running.await(ms, TimeUnit.MILLISECONDS);
  }

  /** Begins no further seed. */
  void stop() {
    stopped = true;
  }

  /** How many seeds have run. */
  long done() {
    return done.get();
  }

  /** How many requests their hosts have sent. */
  long requests() {
    return requests.get();
  }

  /** Those that failed, by seed. */
  List<Failure> failures() {
    synchronized (failures) {
      return failures.stream().sorted(java.util.Comparator.comparingLong(each -> each.outcome.seed())).toList();
    }
  }

  /** Whether so many have failed that the others were left out. */
  boolean gaveUp() {
    return failures().size() >= MOST_FAILURES;
  }

  private void work() {
    try {
      while (!stopped && !gaveUp() && !(limited && System.nanoTime() - endNs >= 0)) {
        long seed = next.getAndIncrement();
        if (seed > last) {
          return;
        }
        run(seed);
      }
    } finally {
      running.countDown();
    }
  }

  private void run(long seed) {
    Outcome outcome = Run.of(seed, null);
    requests.addAndGet(outcome.requests());
    if (!outcome.ok()) {
      // The same again, now with somebody who listens.
      ArrayDeque<String> tail = new ArrayDeque<>();
      Outcome again = Run.of(seed, line -> {
        tail.add(line);
        if (tail.size() > tailLines) {
          tail.remove();
        }
      });
      synchronized (failures) {
        failures.add(new Failure(again.ok() ? outcome : again, List.copyOf(tail)));
      }
    }
    done.incrementAndGet();
  }
}
