package io.remora.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.ErrorDevice.Fault;
import io.remora.block.ErrorDevice.Rule;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DeviceTest {
  private static final int KIB = 1024;
  private static final int MIB = 1024 * KIB;
  private static final UUID ID = new UUID(1, 2);
  private static final Path PATH = Path.of("/data/file");

  private final Simulation sim = new Simulation(7);
  private final SimMachine machine = sim.machine("a");
  private final SimLoop loop = machine.start(1).getFirst();

  private Io io(BlockDevice device) {
    return new Io(sim, loop, device);
  }

  private static MemoryDevice memory(long sizeBytes) {
    return new MemoryDevice("m", ID, sizeBytes, 512);
  }

  @Test
  void memoryHoldsWhatWasWrittenAcrossChunks() {
    MemoryDevice device = memory(4 * MIB);
    Io io = io(device);
    byte[] data = Io.filled(MIB + 512, 7);
    assertThat(io.write(MIB - 512, data)).isEqualTo(Status.OK);
    assertThat(io.read(MIB - 512, data.length)).isEqualTo(data);
    assertThat(io.read(0, MIB - 512)).containsOnly(0);
    assertThat(io.compare(MIB - 512, data)).isEqualTo(Status.OK);
    assertThat(io.compare(MIB - 1024, data)).isEqualTo(Status.MISCOMPARE);
    assertThat(io.zero(MIB, 512)).isEqualTo(Status.OK);
    assertThat(io.read(MIB - 512, 1536)).startsWith(Io.filled(512, 7)).endsWith(Io.filled(512, 7)).contains(0);
    assertThat(io.flush()).isEqualTo(Status.OK);
  }

  @Test
  void sparseMemoryTakesWhatIsWritten() {
    MemoryDevice device = memory(1L << 40);
    Io io = io(device);
    assertThat(device.allocatedBytes()).isZero();
    assertThat(io.write((1L << 40) - 512, Io.filled(512, 1))).isEqualTo(Status.OK);
    assertThat(io.write(3L * MIB, Io.filled(512, 1))).isEqualTo(Status.OK);
    assertThat(io.read(512L << 30, 4096)).containsOnly(0);
    assertThat(device.allocatedBytes()).isEqualTo(2L * MIB);
    assertThat(io.deallocate(0, 1L << 40)).isEqualTo(Status.OK);
    assertThat(device.allocatedBytes()).isZero();
    assertThat(io.read((1L << 40) - 512, 512)).containsOnly(0);
  }

  private static boolean lends(Io io, IoRequest request, Op op, long offset, long length) {
    return io.channel().lend(request.prepare(op, offset, length));
  }

  @Test
  void memoryIsLentInTheChunkWhereItLies() {
    Io io = io(memory(4 * MIB));
    IoRequest request = new IoRequest(done -> {});
    MemorySegment threes = MemorySegment.ofArray(Io.filled(4096, 3));
    assertThat(lends(io, request, Op.READ, 0, 512)).as("memory that is not there").isFalse();
    assertThat(lends(io, request, Op.WRITE, MIB + 512, 1024)).isTrue();
    assertThat(request.sgl.totalBytes()).isEqualTo(1024);
    request.sgl.fill(0, 1024, (byte) 9);
    assertThat(io.read(MIB + 512, 1024)).containsOnly(9);
    assertThat(io.read(MIB, 512)).containsOnly(0);
    assertThat(io.read(MIB + 1536, 512)).containsOnly(0);
    assertThat(lends(io, request, Op.READ, MIB, 4096)).isTrue();
    assertThat(io.write(MIB, Io.filled(4096, 3))).isEqualTo(Status.OK);
    assertThat(request.sgl.equalTo(0, threes, 0, 4096)).isTrue();
    assertThat(io.deallocate(MIB, MIB)).isEqualTo(Status.OK);
    assertThat(request.sgl.equalTo(0, threes, 0, 4096)).as("what was lent, after its chunk was given back").isTrue();
    assertThat(io.read(MIB, 4096)).containsOnly(0);
  }

  @Test
  void memoryIsNotLentForWhatDoesNotFit() {
    Io io = io(memory(4 * MIB));
    assertThat(io.write(0, Io.filled(4 * MIB, 1))).isEqualTo(Status.OK);
    IoRequest request = new IoRequest(done -> {});
    assertThat(lends(io, request, Op.READ, MIB - 512, 1024)).as("over the end of a chunk").isFalse();
    assertThat(lends(io, request, Op.READ, 4 * MIB - 512, 1024)).as("over the end").isFalse();
    assertThat(lends(io, request, Op.WRITE, 4 * MIB, 512)).as("behind the end").isFalse();
    assertThat(lends(io, request, Op.WRITE, -512, 512)).as("before the begin").isFalse();
    assertThat(lends(io, request, Op.READ, 100, 512)).as("not at a block").isFalse();
    assertThat(lends(io, request, Op.READ, 0, 100)).as("not whole blocks").isFalse();
    assertThat(lends(io, request, Op.READ, 0, 0)).as("nothing").isFalse();
    assertThat(lends(io, request, Op.COMPARE, 0, 512)).isFalse();
    assertThat(lends(io, request, Op.DEALLOCATE, 0, 512)).isFalse();
    assertThat(request.sgl.count()).isZero();
    loop.run(io.channel()::close);
    assertThat(lends(io, request, Op.READ, 0, 512)).as("after the channel was closed").isFalse();
  }

  /** The tests' own process may take 256 MiB outside of its heap. */
  @Test
  void memoryThatTheMachineDoesNotGiveIsNoSpace() {
    MemoryDevice device = memory(1L << 30);
    Io io = io(device);
    Status status = Status.OK;
    long offset = 0;
    while (status.isOk() && offset < 1L << 30) {
      status = io.write(offset, Io.filled(512, 5));
      offset += MIB;
    }
    assertThat(status).isEqualTo(Status.NO_SPACE);
    assertThat(io.read(0, 512)).containsOnly(5);
    assertThat(io.read(offset, 512)).containsOnly(0);
    assertThat(io.deallocate(0, 1L << 30)).isEqualTo(Status.OK);
    assertThat(io.write(0, Io.filled(512, 6))).isEqualTo(Status.OK);
  }

  @Test
  void nullReadsZerosOverWhateverWasInTheBuffer() {
    Io io = io(new NullDevice("n", ID, 1L << 50, 4096));
    assertThat(io.write(0, Io.filled(8192, 9))).isEqualTo(Status.OK);
    assertThat(io.read(0, MIB)).containsOnly(0);
    assertThat(io.compare(0, new byte[4096])).isEqualTo(Status.OK);
    assertThat(io.compare(0, Io.filled(4096, 1))).isEqualTo(Status.MISCOMPARE);
    assertThat(io.deallocate(0, 4096)).isEqualTo(Status.OK);
  }

  @Test
  void requestsThatDoNotFitAreRefused() {
    for (BlockDevice device : List.of(memory(MIB), new NullDevice("n", ID, MIB, 512),
        new DelayDevice(memory(MIB), new DelayDevice.Delays(0, 0, 0)), new ErrorDevice(memory(MIB)),
        loop.call(() -> FileDevice.open(loop, "f", PATH, MIB, false)))) {
      Io io = io(device);
      int block = device.blockSize();
      for (Op op : List.of(Op.READ, Op.WRITE, Op.WRITE_ZEROES, Op.DEALLOCATE, Op.COMPARE)) {
        assertThat(run(io, op, 1, block)).isEqualTo(Status.INVALID);
        assertThat(run(io, op, 0, block - 1)).isEqualTo(Status.INVALID);
        assertThat(run(io, op, -block, block)).isEqualTo(Status.INVALID);
        assertThat(run(io, op, MIB, block)).isEqualTo(Status.OUT_OF_RANGE);
        assertThat(run(io, op, MIB - block, 2L * block)).isEqualTo(Status.OUT_OF_RANGE);
        assertThat(run(io, op, Long.MAX_VALUE & -block, block)).isEqualTo(Status.OUT_OF_RANGE);
        assertThat(run(io, op, MIB, 0)).isEqualTo(Status.OK);
        assertThat(run(io, op, MIB - block, block)).isEqualTo(Status.OK);
      }
      assertThat(io.await(io.begin(Op.WRITE, 0, block, new byte[2 * block], false))).isEqualTo(Status.INVALID);
      loop.run(() -> io.channel().close());
      assertThat(io.flush()).isEqualTo(Status.ABORTED);
    }
  }

  private static Status run(Io io, Op op, long offset, long length) {
    return io.await(io.begin(op, offset, length, null, false));
  }

  @Test
  void fileSurvivesItsProcess() {
    FileDevice device = loop.call(() -> FileDevice.open(loop, "f", PATH, MIB, false));
    Io io = io(device);
    byte[] data = Io.filled(200 * KIB, 3);
    assertThat(io.write(4096, data)).isEqualTo(Status.OK);
    assertThat(io.compare(4096, data)).isEqualTo(Status.OK);
    data[150 * KIB] = 4;
    assertThat(io.compare(4096, data)).isEqualTo(Status.MISCOMPARE);
    assertThat(io.writeFua(0, Io.filled(4096, 8))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
    UUID uuid = device.uuid();
    machine.powerLoss();
    SimLoop next = machine.start(1).getFirst();
    FileDevice again = next.call(() -> FileDevice.open(next, "f", PATH, 0, true));
    Io reader = new Io(sim, next, again);
    assertThat(again.sizeBytes()).isEqualTo(MIB);
    assertThat(again.uuid()).isEqualTo(uuid);
    assertThat(reader.read(4096, 200 * KIB)).containsOnly(3);
    assertThat(reader.read(0, 4096)).containsOnly(8);
    assertThat(reader.write(0, new byte[4096])).isEqualTo(Status.READ_ONLY);
    assertThat(reader.deallocate(0, 4096)).isEqualTo(Status.READ_ONLY);
  }

  @Test
  void fileThatGrowsIsSeenToHaveGrown() {
    FileDevice device = loop.call(() -> FileDevice.open(loop, "f", PATH, MIB, false));
    Io io = io(device);
    List<Long> sizes = new ArrayList<>();
    device.addListener(new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice resized) {
        sizes.add(resized.sizeBytes());
      }

      @Override
      public void onRemoved(BlockDevice removed, Status reason) {
        sizes.add(-1L);
      }
    });
    machine.disk().file(PATH).resize(2L * MIB);
    loop.run(device::refresh);
    assertThat(io.write(2L * MIB - 4096, Io.filled(4096, 1))).isEqualTo(Status.OK);
    loop.run(device::close);
    assertThat(sizes).containsExactly(2L * MIB, -1L);
    assertThatThrownBy(() -> loop.call(() -> device.open(loop))).isInstanceOf(RemoraException.class);
  }

  @Test
  void fileThatCannotDeallocateLetsItPass() {
    machine.disk().canDeallocate(false);
    FileDevice device = loop.call(() -> FileDevice.open(loop, "f", PATH, MIB, false));
    Io io = io(device);
    assertThat(device.canDeallocate()).isFalse();
    assertThat(io.write(0, Io.filled(4096, 1))).isEqualTo(Status.OK);
    assertThat(io.deallocate(0, 4096)).isEqualTo(Status.OK);
    assertThat(io.read(0, 4096)).containsOnly(1);
  }

  @Test
  void emptyFileIsNoDevice() {
    assertThatThrownBy(() -> loop.call(() -> FileDevice.open(loop, "f", PATH, 0, false)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND));
    loop.run(() -> loop.disk().store(PATH, new byte[0]));
    assertThatThrownBy(() -> loop.call(() -> FileDevice.open(loop, "f", PATH, 0, false)))
        .hasMessageContaining("is empty");
  }

  @Test
  void delayIsKeptAndOrderFollowsIt() {
    DelayDevice device = new DelayDevice(memory(MIB), new DelayDevice.Delays(5_000_000, 1_000_000, 0));
    Io io = io(device);
    long beginNs = sim.nowNs();
    var read = io.begin(Op.READ, 0, 512, null, false);
    var write = io.begin(Op.WRITE, 0, 512, new byte[512], false);
    assertThat(io.await(write)).isEqualTo(Status.OK);
    assertThat(sim.nowNs() - beginNs).isGreaterThanOrEqualTo(1_000_000);
    assertThat(read.get()).isNull();
    assertThat(io.await(read)).isEqualTo(Status.OK);
    assertThat(sim.nowNs() - beginNs).isGreaterThanOrEqualTo(5_000_000);
    device.delays(new DelayDevice.Delays(0, 0, 3_000_000));
    List<java.util.concurrent.atomic.AtomicReference<@org.jspecify.annotations.Nullable Status>> all = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      all.add(io.begin(Op.READ, 0, 512, null, false));
    }
    all.forEach(status -> assertThat(io.await(status)).isEqualTo(Status.OK));
  }

  @Test
  void errorsFollowTheirRules() {
    MemoryDevice memory = memory(MIB);
    ErrorDevice device = new ErrorDevice(memory);
    Io io = io(device);
    Fault reads = device.add(Rule.failing(Op.READ).at(4096, 4096).with(Status.TIMED_OUT), 1);
    assertThat(io.readStatus(0, 4096)).isEqualTo(Status.OK);
    assertThat(io.readStatus(0, 4608)).isEqualTo(Status.TIMED_OUT);
    assertThat(io.readStatus(8192, 4096)).isEqualTo(Status.OK);
    assertThat(reads.failures()).isEqualTo(1);
    device.remove(reads);
    assertThat(io.readStatus(4096, 4096)).isEqualTo(Status.OK);

    device.add(Rule.failing(Op.WRITE).times(2, 1), 1);
    assertThat(io.write(0, Io.filled(512, 1))).isEqualTo(Status.OK);
    assertThat(io.write(0, Io.filled(512, 2))).isEqualTo(Status.OK);
    assertThat(io.write(0, Io.filled(512, 3))).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.write(512, Io.filled(512, 4))).isEqualTo(Status.OK);
    assertThat(io.read(0, 512)).containsOnly(2);
    device.clear();

    device.add(Rule.failing(Op.WRITE, Op.FLUSH).afterTheWork(), 1);
    assertThat(io.write(0, Io.filled(512, 5))).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.read(0, 512)).containsOnly(5);
    assertThat(io.flush()).isEqualTo(Status.MEDIUM_ERROR);
    device.clear();

    Fault some = device.add(Rule.failing(Op.READ).sometimes(0.25), 42);
    for (int i = 0; i < 1000; i++) {
      io.readStatus(0, 512);
    }
    assertThat(some.failures()).isBetween(180L, 320L);
  }
}
