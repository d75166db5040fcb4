package io.remora.base.sim;

import io.remora.base.Check;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Everything that has happened to the files of a machine since {@link SimDisk#record}, and what a crash at any point of it would
 * have left: the way to try a crash at every write of a scenario while the scenario itself runs once.
 *
 * <pre>{@code
 * Recording recording = machine.disk().record();
 * ... the scenario; with each acknowledgement the test notes recording.size() ...
 * for (int point = 0; point <= recording.size(); point++) {
 *   for (PowerLoss how : PowerLoss.values()) {
 *     Simulation after = new Simulation(seed);
 *     SimMachine machine = after.machine("a");
 *     machine.disk().restore(recording.crashAfter(point, how, seed));
 *     ... open what is there: what was acknowledged before the point must hold ...
 *   }
 * }
 * }</pre>
 *
 * <p>Belongs to its simulation's thread, and may be used there after the simulation has ended. Points in rising order are the
 * fastest. It holds all data that was written, so record what is of interest only.
 */
public final class Recording {
  private final Medium base;
  private final List<MediumEvent> events = new ArrayList<>();
  private Medium cursor;
  private int cursorPoint;

  Recording(Medium base) {
    this.base = base;
    this.cursor = base.fork();
  }

  /** How many steps are recorded: writes begun and ended, flushes ended, files created, grown, stored and deleted. */
  public int size() {
    return events.size();
  }

  /** What step {@code point} (1 to {@link #size}) was, for messages; "start" for 0. */
  public String describe(int point) {
    return point == 0 ? "start" : String.valueOf(events.get(point - 1));
  }

  /**
   * Whether a crash after step {@code point} can leave something else than one after the step before: a write has begun, a
   * flush has ended, a file has changed. The end of a write changes only what the writer knows.
   */
  public boolean distinct(int point) {
    return point == 0 || switch (events.get(point - 1)) {
      case MediumEvent.Completed completed -> completed.write().fua();
      case MediumEvent.Landed _ -> false;
      case MediumEvent.Created _,MediumEvent.Resized _,MediumEvent.Deleted _,MediumEvent.Stored _,MediumEvent.Submitted _,MediumEvent.Cut _,MediumEvent.Flushed _,MediumEvent.PowerLost _,MediumEvent.Poked _ ->
        true;
    };
  }

  /** The files as a power loss right after step {@code point} (0 to {@link #size}) would have left them. */
  public SimImage crashAfter(int point, PowerLoss how, long seed) {
    Medium medium = mediumAfter(point);
    medium.apply(new MediumEvent.PowerLost(how, seed));
    return new SimImage(medium);
  }

  /**
   * The files as the end of the process (SIGKILL) right after step {@code point} would have left them: completed writes are
   * there, though a later power loss may still take them; those in flight landed, or not, or in part.
   */
  public SimImage killAfter(int point, long seed) {
    Medium medium = mediumAfter(point);
    medium.cuts(new SplittableRandom(seed)).forEach(medium::apply);
    return new SimImage(medium);
  }

  void add(MediumEvent event) {
    events.add(event);
  }

  private Medium mediumAfter(int point) {
    Check.argument(point >= 0 && point <= events.size(), "point %d of %d", point, events.size());
    if (point < cursorPoint) {
      cursor = base.fork();
      cursorPoint = 0;
    }
    while (cursorPoint < point) {
      cursor.apply(events.get(cursorPoint));
      cursorPoint++;
    }
    return cursor.fork();
  }
}
