package io.remora.cli;

import io.remora.base.Loops;
import java.util.List;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Option;

/** The options that say on which loops a command does its I/O. */
final class LoopOptions {
  @Option(names = "--cores", paramLabel = "LIST", converter = Converters.Cores.class, description = "The CPUs to do I/O on, one loop each, for example 0-3,6 (default: not pinned).")
  List<Integer> cores = List.of();

  @Option(names = "--backend", paramLabel = "NAME", defaultValue = "auto", description = "What the loops wait on: auto, io_uring or epoll (default: ${DEFAULT-VALUE}).")
  Loops.Backend backend = Loops.Backend.AUTO;

  @Option(names = "--spin-us", paramLabel = "N", defaultValue = "50", description = "How long a busy loop polls before it sleeps, in microseconds; 0: not at all, -1: for ever"
      + " (default: ${DEFAULT-VALUE}).")
  long spinUs = 50;

  /** Starts {@code count} loops, or one for each of {@link #cores} when that is 0. */
  Loops start(String name, int count) {
    int loops = count > 0 ? count : Math.max(1, cores.size());
    long spinNs = spinUs < 0 ? Long.MAX_VALUE : TimeUnit.MICROSECONDS.toNanos(spinUs);
    return Loops.start(new Loops.Config(name, loops, backend, spinNs, cores));
  }
}
