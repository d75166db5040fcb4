package io.remora.base.sim;

import static io.remora.base.sim.SimIo.filled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Disk.Mode;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SimDiskTest {
  private static final Path PATH = Path.of("/data/pool");
  private static final int BLOCK = 4096;

  private final Simulation simulation = new Simulation(11);
  private final SimMachine machine = simulation.machine("a");
  private SimLoop loop = machine.start(1).getFirst();
  private DiskFile file = loop.call(() -> loop.disk().open(PATH, Mode.CREATE));
  private SimIo io = new SimIo(loop, file);

  SimDiskTest() {
    loop.run(() -> file.grow(1 << 20));
  }

  @Test
  void writesAreReadBack() {
    assertThat(file.createdEmpty()).isTrue();
    assertThat(io.read(0, BLOCK)).containsOnly(0);
    assertThat(io.write(BLOCK, filled(2 * BLOCK, 5))).isEqualTo(Status.OK);
    assertThat(io.read(2 * BLOCK, BLOCK)).containsOnly(5);
    assertThat(machine.disk().file(PATH).read(BLOCK, BLOCK)).containsOnly(5);
    assertThat(machine.disk().file(PATH).allocatedBytes()).isEqualTo(2 * BLOCK);
  }

  @Test
  void completionComesNeverInsideSubmit() {
    AtomicReference<@Nullable Status> status = io.begin(Op.READ, 3, 5, null, false);
    assertThat(status.get()).isNull();
    assertThat(io.await(status)).isEqualTo(Status.INVALID);
  }

  @Test
  void rangesAreChecked() {
    assertThat(io.run(Op.READ, 1 << 20, BLOCK)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(io.run(Op.WRITE, (1 << 20) - BLOCK, 2 * BLOCK)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(io.run(Op.READ, Long.MAX_VALUE - BLOCK + 1, BLOCK)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(io.run(Op.READ, 512, BLOCK)).isEqualTo(Status.INVALID);
    assertThat(io.run(Op.READ, -BLOCK, BLOCK)).isEqualTo(Status.INVALID);
    assertThat(io.run(Op.COMPARE, 0, BLOCK)).isEqualTo(Status.UNSUPPORTED);
    loop.run(file::close);
    assertThat(io.run(Op.READ, 0, BLOCK)).isEqualTo(Status.ABORTED);
  }

  @Test
  void zeroesKeepSpaceAndDeallocateGivesItBack() {
    io.write(0, filled(4 * BLOCK, 1));
    assertThat(io.run(Op.WRITE_ZEROES, 0, 2 * BLOCK)).isEqualTo(Status.OK);
    assertThat(io.read(0, 2 * BLOCK)).containsOnly(0);
    assertThat(machine.disk().allocatedBytes()).isEqualTo(4 * BLOCK);
    assertThat(io.run(Op.DEALLOCATE, BLOCK, 2 * BLOCK)).isEqualTo(Status.OK);
    assertThat(io.read(BLOCK, 2 * BLOCK)).containsOnly(0);
    assertThat(io.read(3 * BLOCK, BLOCK)).containsOnly(1);
    assertThat(machine.disk().allocatedBytes()).isEqualTo(2 * BLOCK);
    machine.disk().canDeallocate(false);
    DiskFile other = loop.call(() -> loop.disk().open(PATH, Mode.WRITE));
    assertThat(new SimIo(loop, other).run(Op.DEALLOCATE, 0, BLOCK)).isEqualTo(Status.UNSUPPORTED);
  }

  @Test
  void flushedDataSurvivesAndTheRestIsLost() {
    io.write(0, filled(BLOCK, 1));
    assertThat(io.flush()).isEqualTo(Status.OK);
    io.write(BLOCK, filled(BLOCK, 2));
    io.writeFua(2 * BLOCK, filled(BLOCK, 3));
    assertThat(machine.disk().file(PATH).unflushedWrites()).isEqualTo(1);
    machine.powerLoss(PowerLoss.ALL_LOST);
    restart();
    assertThat(io.read(0, BLOCK)).containsOnly(1);
    assertThat(io.read(BLOCK, BLOCK)).containsOnly(0);
    assertThat(io.read(2 * BLOCK, BLOCK)).containsOnly(3);
  }

  @Test
  void fuaIsNotUndoneByAnOlderWriteThatLandsLate() {
    for (long seed = 0; seed < 50; seed++) {
      Simulation world = new Simulation(seed);
      SimMachine other = world.machine("a");
      SimLoop first = other.start(1).getFirst();
      SimIo before = new SimIo(first, openIn(first));
      before.write(0, filled(BLOCK, 1));
      before.writeFua(0, filled(BLOCK, 2));
      other.powerLoss();
      assertThat(other.disk().file(PATH).read(0, BLOCK)).as("seed %d", seed).containsOnly(2);
    }
  }

  @Test
  void flushCoversWhatWasCompletedBeforeItOnly() {
    machine.disk().latency(1_000, 1_000);
    machine.disk().file(PATH).slow(100);
    AtomicReference<@Nullable Status> flush = io.begin(Op.FLUSH, 0, 0, null, false);
    machine.disk().file(PATH).slow(1);
    assertThat(io.write(0, filled(BLOCK, 1))).isEqualTo(Status.OK);
    assertThat(flush.get()).isNull();
    assertThat(io.await(flush)).isEqualTo(Status.OK);
    machine.powerLoss(PowerLoss.ALL_LOST);
    assertThat(machine.disk().file(PATH).read(0, BLOCK)).containsOnly(0);
  }

  @Test
  void powerLossLosesKeepsTearsAndReorders() {
    Set<String> seen = new HashSet<>();
    for (long seed = 0; seed < 300; seed++) {
      Simulation world = new Simulation(seed);
      SimMachine other = world.machine("a");
      SimLoop first = other.start(1).getFirst();
      SimIo before = new SimIo(first, openIn(first));
      before.write(0, filled(2 * BLOCK, 1));
      before.write(4 * BLOCK, filled(2 * BLOCK, 2));
      other.powerLoss();
      SimFile after = other.disk().file(PATH);
      seen.add(left(after.read(0, 2 * BLOCK)) + " then " + left(after.read(4 * BLOCK, 2 * BLOCK)));
    }
    assertThat(seen).containsExactlyInAnyOrder("all then all", "all then none", "all then some", "none then all",
        "none then none", "none then some", "some then all", "some then none", "some then some");
  }

  @Test
  void tornWritesLeaveTheirFrontTheirEndOrAnything() {
    Set<String> shapes = new HashSet<>();
    io.write(0, filled(BLOCK, 1));
    Recording recording = machine.disk().record();
    for (int seed = 0; seed < 100; seed++) {
      SimMachine after = new Simulation(seed).machine("after");
      after.disk().restore(recording.crashAfter(0, PowerLoss.EACH_TORN, seed));
      byte[] content = after.disk().file(PATH).read(0, BLOCK);
      StringBuilder sectors = new StringBuilder();
      for (int at = 0; at < BLOCK; at += 512) {
        sectors.append(content[at]);
      }
      shapes.add(sectors.toString());
    }
    assertThat(shapes).contains("11110000", "11111110", "00001111", "00000001")
        .anyMatch(shape -> shape.contains("10100"));
  }

  @Test
  void killKeepsWhatWasCompletedAndCutsWhatWasInFlight() {
    Set<String> seen = new HashSet<>();
    for (long seed = 0; seed < 100; seed++) {
      Simulation world = new Simulation(seed);
      SimMachine other = world.machine("a");
      SimLoop first = other.start(1).getFirst();
      SimIo before = new SimIo(first, openIn(first));
      before.write(0, filled(2 * BLOCK, 1));
      AtomicReference<@Nullable Status> status = before.begin(Op.WRITE, 4 * BLOCK, 2 * BLOCK, filled(2 * BLOCK, 2),
          false);
      other.kill();
      world.runFor(1_000_000_000L);
      assertThat(status.get()).isNull();
      SimFile after = other.disk().file(PATH);
      assertThat(after.read(0, 2 * BLOCK)).as("seed %d", seed).containsOnly(1);
      seen.add(left(after.read(4 * BLOCK, 2 * BLOCK)));
    }
    assertThat(seen).containsExactlyInAnyOrder("all", "none", "some");
  }

  @Test
  void errorsComeWhereTheyWereOrdered() {
    SimFile faults = machine.disk().file(PATH);
    io.write(0, filled(4 * BLOCK, 1));
    faults.failReads(BLOCK, 512);
    assertThat(io.run(Op.READ, 0, BLOCK)).isEqualTo(Status.OK);
    assertThat(io.run(Op.READ, 0, 2 * BLOCK)).isEqualTo(Status.MEDIUM_ERROR);
    faults.failWrites(3 * BLOCK, BLOCK);
    assertThat(io.write(3 * BLOCK, filled(BLOCK, 2))).isEqualTo(Status.MEDIUM_ERROR);
    faults.failFlushes(true);
    assertThat(io.flush()).isEqualTo(Status.MEDIUM_ERROR);
    faults.heal();
    assertThat(io.flush()).as("a failed flush is never made good by a later one").isEqualTo(Status.MEDIUM_ERROR);
    assertThat(new SimIo(loop, loop.call(() -> loop.disk().open(PATH, Mode.WRITE))).flush()).isEqualTo(Status.OK);
    faults.errorRate(1);
    assertThat(io.run(Op.READ, 0, BLOCK)).isEqualTo(Status.MEDIUM_ERROR);
  }

  @Test
  void fullDiskHasNoSpaceForNewPagesOnly() {
    machine.disk().capacityBytes(2 * BLOCK);
    assertThat(io.write(0, filled(2 * BLOCK, 1))).isEqualTo(Status.OK);
    assertThat(io.write(2 * BLOCK, filled(BLOCK, 2))).isEqualTo(Status.NO_SPACE);
    assertThat(io.read(2 * BLOCK, BLOCK)).containsOnly(0);
    assertThat(io.write(BLOCK, filled(BLOCK, 3))).isEqualTo(Status.OK);
    assertThat(io.run(Op.DEALLOCATE, 0, BLOCK)).isEqualTo(Status.OK);
    assertThat(io.write(2 * BLOCK, filled(BLOCK, 2))).isEqualTo(Status.OK);
    loop.run(() -> assertStatus(Status.NO_SPACE, () -> loop.disk().store(Path.of("/data/small"), new byte[10])));
  }

  @Test
  void hungOperationsGoOnWhenItEnds() {
    SimFile faults = machine.disk().file(PATH);
    faults.hang(true);
    AtomicReference<@Nullable Status> read = io.begin(Op.READ, 0, BLOCK, null, false);
    simulation.runFor(3_600_000_000_000L);
    assertThat(read.get()).isNull();
    faults.hang(false);
    assertThat(io.await(read)).isEqualTo(Status.OK);
  }

  @Test
  void silentFaultsReportSuccess() {
    SimFile faults = machine.disk().file(PATH);
    faults.misdirectNextWrite(8 * BLOCK);
    assertThat(io.write(0, filled(BLOCK, 1))).isEqualTo(Status.OK);
    assertThat(io.read(0, BLOCK)).containsOnly(0);
    assertThat(io.read(8 * BLOCK, BLOCK)).containsOnly(1);
    faults.loseNextWrite();
    assertThat(io.write(0, filled(BLOCK, 2))).isEqualTo(Status.OK);
    assertThat(io.read(0, BLOCK)).containsOnly(0);
    faults.flipBit(8 * BLOCK, 7);
    assertThat(io.read(8 * BLOCK, BLOCK)).startsWith(0x81, 1, 1);
  }

  @Test
  void memoryChangedInFlightIsFound() {
    MemorySegment memory = Arena.ofAuto().allocate(BLOCK);
    loop.run(() -> {
      IoRequest request = new IoRequest(_ -> {}).prepare(Op.WRITE, 0, BLOCK);
      request.sgl.add(memory, 0, BLOCK);
      file.submit(request);
      memory.set(ValueLayout.JAVA_BYTE, 17, (byte) 1);
    });
    assertThatThrownBy(() -> simulation.runFor(1_000_000_000L)).isInstanceOf(SimulationFailure.class)
        .hasMessageContaining("changed in flight");
  }

  @Test
  void smallFilesAreDurableAtOnce() {
    Path small = Path.of("/data/small");
    byte[] content = "hello".getBytes(StandardCharsets.UTF_8);
    loop.run(() -> {
      assertThat(loop.disk().load(small)).isEmpty();
      loop.disk().store(small, content);
    });
    machine.powerLoss(PowerLoss.ALL_LOST);
    restart();
    loop.run(() -> {
      assertThat(loop.disk().load(small)).contains(content);
      loop.disk().delete(small);
      loop.disk().delete(small);
      assertThat(loop.disk().load(small)).isEmpty();
    });
    assertThat(machine.disk().paths()).containsExactly(PATH);
  }

  @Test
  void openingFails() {
    machine.disk().file(PATH).holdElsewhere(true);
    loop.run(() -> {
      assertStatus(Status.NOT_FOUND, () -> loop.disk().open(Path.of("/none"), Mode.WRITE));
      assertStatus(Status.BUSY, () -> loop.disk().open(PATH, Mode.WRITE));
      DiskFile reader = loop.disk().open(PATH, Mode.READ);
      assertStatus(Status.READ_ONLY, () -> reader.grow(2 << 20));
      assertThat(reader.createdEmpty()).isFalse();
    });
  }

  @Test
  void deviceCannotGrowByItself() {
    SimFile device = machine.disk().device(Path.of("/dev/sim0"), 1 << 20);
    DiskFile opened = loop.call(() -> loop.disk().open(device.path(), Mode.WRITE));
    assertThat(opened.createdEmpty()).isFalse();
    loop.run(() -> assertStatus(Status.UNSUPPORTED, () -> opened.grow(2 << 20)));
    device.resize(2 << 20);
    assertThat(opened.sizeBytes()).isEqualTo(1 << 20);
    assertThat(loop.call(opened::refreshSize)).isEqualTo(2 << 20);
  }

  private void restart() {
    loop = machine.start(1).getFirst();
    file = loop.call(() -> loop.disk().open(PATH, Mode.WRITE));
    io = new SimIo(loop, file);
  }

  private static DiskFile openIn(SimLoop loop) {
    return loop.call(() -> {
      DiskFile opened = loop.disk().open(PATH, Mode.CREATE);
      opened.grow(1 << 20);
      return opened;
    });
  }

  private static String left(byte[] content) {
    int written = 0;
    for (byte b : content) {
      written += b == 0 ? 0 : 1;
    }
    assertThat(written % 512).isZero();
    return written == 0 ? "none" : written == content.length ? "all" : "some";
  }

  private static void assertStatus(Status status, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(status));
  }
}
