package io.remora.base.linux;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import java.util.ArrayList;
import java.util.List;

/** A set of started loops: what {@link Loops} hides. From any thread. */
public final class LinuxLoops {
  private final List<LinuxLoop> loops;

  private LinuxLoops(List<LinuxLoop> loops) {
    this.loops = loops;
  }

  /** Starts all loops of {@code config}, or none. */
  public static LinuxLoops start(Loops.Config config) {
    List<LinuxLoop> started = new ArrayList<>();
    OpenFiles files = new OpenFiles();
    try {
      for (int i = 0; i < config.count(); i++) {
        int core = config.cores().isEmpty() ? -1 : config.cores().get(i % config.cores().size());
        started.add(LinuxLoop.start(config, i, core, files));
      }
    } catch (RemoraException e) {
      new LinuxLoops(started).close();
      throw e;
    }
    return new LinuxLoops(List.copyOf(started));
  }

  /** What a loop of its own choice would wait on here, and why. */
  public static String describe() {
    try {
      LinuxLoops probe = start(new Loops.Config("probe", 1, Loops.Backend.AUTO, 0, List.of()));
      try {
        return probe.description();
      } finally {
        probe.close();
      }
    } catch (RemoraException e) {
      return "none: " + e.getMessage();
    }
  }

  /** What these loops wait on, and why. */
  public String description() {
    return loops.getFirst().description();
  }

  /** In the order of their numbers. */
  public List<Loop> all() {
    return List.copyOf(loops);
  }

  /** Ends them and waits; on one of them it cannot wait, since that one ends only after the task that calls this. */
  public void close() {
    boolean within = false;
    for (LinuxLoop loop : loops) {
      loop.close();
      within |= loop.inLoop();
    }
    if (!within) {
      loops.forEach(LinuxLoop::join);
    }
  }
}
