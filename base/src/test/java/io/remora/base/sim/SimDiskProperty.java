package io.remora.base.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Disk.Mode;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.WriteHistory.Write;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random I/O with many requests in flight, held against what the contract permits, with a crash at every point. */
class SimDiskProperty {
  private static final Path PATH = Path.of("/data/pool");
  private static final int SECTOR = WriteHistory.SECTOR;
  private static final int SECTORS = 64;
  private static final int REQUESTS = 120;

  /** A loop's code that keeps a few requests in flight and notes what it learns of each. */
  private static final class Workload {
    final Simulation simulation;
    final SimMachine machine;
    final SimLoop loop;
    final Recording recording;
    final WriteHistory history = new WriteHistory();
    final DiskFile file;
    final RandomGenerator random;
    int started;
    int ended;

    Workload(long seed) {
      simulation = new Simulation(seed);
      random = simulation.random();
      machine = simulation.machine("a");
      machine.disk().blockSize(SECTOR);
      loop = machine.start(1).getFirst();
      file = loop.call(() -> {
        DiskFile opened = loop.disk().open(PATH, Mode.CREATE);
        opened.grow(SECTORS * SECTOR);
        return opened;
      });
      recording = machine.disk().record();
      loop.run(() -> {
        for (int i = 0; i < 6; i++) {
          next();
        }
      });
    }

    private void next() {
      if (started == REQUESTS) {
        return;
      }
      started++;
      int first = random.nextInt(SECTORS);
      int sectors = 1 + random.nextInt(Math.min(16, SECTORS - first));
      switch (random.nextInt(8)) {
        case 0 -> flush();
        case 1, 2 -> read(first, sectors);
        case 3 -> change(random.nextBoolean() ? Op.WRITE_ZEROES : Op.DEALLOCATE, first, sectors, 0, false);
        case 4 -> change(Op.WRITE, first, sectors, started, true);
        default -> change(Op.WRITE, first, sectors, started, false);
      }
    }

    private void change(Op op, int first, int sectors, int value, boolean fua) {
      Write write = history.begin(first, sectors, value, recording.size());
      submit(op, first, sectors, value, fua, request -> {
        write.completed = recording.size();
        write.durable = fua ? write.completed : write.durable;
      });
    }

    private void flush() {
      List<Write> covered = history.completed();
      submit(Op.FLUSH, 0, 0, 0, false,
          request -> covered.forEach(write -> write.durable = Math.min(write.durable, recording.size())));
    }

    private void read(int first, int sectors) {
      int submitted = recording.size();
      submit(Op.READ, first, sectors, -1, false, request -> {
        for (int i = 0; i < sectors; i++) {
          int value = request.sgl.segment(0).get(ValueLayout.JAVA_INT, (long) i * SECTOR);
          assertThat(history.afterCompletions(first + i, submitted, recording.size())).as("sector %d", first + i)
              .contains(value);
        }
      });
    }

    private void submit(Op op, int first, int sectors, int value, boolean fua, IoRequest.Completion note) {
      IoRequest request = new IoRequest(done -> {
        assertThat(done.status).isEqualTo(Status.OK);
        note.completed(done);
        ended++;
        next();
      }).prepare(op, (long) first * SECTOR, (long) sectors * SECTOR);
      request.fua = fua;
      if (request.hasData()) {
        MemorySegment memory = Arena.ofAuto().allocate(request.length, 8);
        for (long i = 0; i < request.length; i += 4) {
          memory.set(ValueLayout.JAVA_INT, i, value);
        }
        request.sgl.add(memory, 0, request.length);
      }
      file.submit(request);
    }

    /** What each sector may hold after a crash at {@code point}. */
    List<Set<Integer>> possible(int point, boolean powerLoss) {
      return IntStream.range(0, SECTORS).mapToObj(sector -> powerLoss
          ? history.afterPowerLoss(sector, point)
          : history.afterCompletions(sector, point, point)).toList();
    }

    /** Holds what is there against what may be there. */
    void check(SimMachine after, List<Set<Integer>> possible, String what) {
      ByteBuffer content = ByteBuffer.wrap(after.disk().file(PATH).read(0, SECTORS * SECTOR))
          .order(ByteOrder.nativeOrder());
      for (int at = 0; at < content.capacity(); at += 4) {
        int sector = at / SECTOR;
        int value = content.getInt(at);
        if (value != content.getInt(sector * SECTOR)) {
          throw new AssertionError("seed %d, %s, sector %d is torn inside".formatted(simulation.seed(), what, sector));
        }
        if (at % SECTOR == 0 && !possible.get(sector).contains(value)) {
          throw new AssertionError(
              "seed %d, %s, sector %d holds %d, not one of %s".formatted(simulation.seed(), what, sector,
                  value, possible.get(sector)));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void crashAtEveryPointLeavesWhatTheContractPermits(long seed) {
    Workload workload = new Workload(seed);
    workload.simulation.runUntil(() -> workload.ended == REQUESTS, SimIo.LIMIT_NS);
    Recording recording = workload.recording;
    for (int point = 0; point <= recording.size(); point++) {
      List<Set<Integer>> possible = workload.possible(point, true);
      for (PowerLoss how : PowerLoss.values()) {
        SimMachine after = new Simulation(seed).machine("after");
        after.disk().restore(recording.crashAfter(point, how, seed + point));
        workload.check(after, possible, how + " after " + recording.describe(point));
      }
      SimMachine after = new Simulation(seed).machine("after");
      after.disk().restore(recording.killAfter(point, seed + point));
      workload.check(after, workload.possible(point, false), "kill after " + recording.describe(point));
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void crashInTheMiddleOfARun(long seed) {
    Workload cut = new Workload(seed);
    int enough = cut.random.nextInt(REQUESTS);
    cut.simulation.runUntil(() -> cut.ended >= enough, SimIo.LIMIT_NS);
    boolean powerLoss = cut.random.nextBoolean();
    int point = cut.recording.size();
    if (powerLoss) {
      cut.machine.powerLoss();
    } else {
      cut.machine.kill();
    }
    cut.check(cut.machine, cut.possible(point, powerLoss), powerLoss ? "power loss" : "kill");
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void recordedRunEndsAsTheRealOne(long seed) {
    Workload workload = new Workload(seed);
    workload.simulation.runUntil(() -> workload.ended == REQUESTS, SimIo.LIMIT_NS);
    SimMachine replayed = new Simulation(seed).machine("replayed");
    replayed.disk().restore(workload.recording.crashAfter(workload.recording.size(), PowerLoss.ALL_KEPT, seed));
    assertThat(replayed.disk().file(PATH).read(0, SECTORS * SECTOR))
        .isEqualTo(workload.machine.disk().file(PATH).read(0, SECTORS * SECTOR));
    assertThat(replayed.disk().allocatedBytes()).isEqualTo(workload.machine.disk().allocatedBytes());
  }

  static long[] seeds() {
    return Seeds.of(10);
  }
}
