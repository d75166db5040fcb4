package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.Io;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A volume on several loops. */
class PoolLoopsTest {
  private static final Path DISK = Path.of("/pool/0");

  private final Simulation sim = new Simulation(31);
  private final SimMachine machine = sim.machine("a");
  private final List<SimLoop> loops = machine.start(3);
  private final SimLoop owner = loops.getFirst();
  private final Pool pool = Io.await(sim, owner.call(() -> Pool.create(owner, new PoolConfig("p", PoolWorld.uuid(1),
      List.of(new PoolConfig.DiskSpec(DISK, 16 << 20)), CLUSTER, false))));
  private final Volume volume = Io.await(sim,
      owner.call(() -> pool.createVolume(VolumeSpec.thin("v", PoolWorld.uuid(2), 4 << 20))));

  @Test
  void whatOneLoopWritesTheOthersRead() {
    Io here = new Io(sim, owner, volume);
    Io one = new Io(sim, loops.get(1), volume);
    Io two = new Io(sim, loops.get(2), volume);
    byte[] data = Io.filled(3 * CLUSTER, 7);
    assertThat(one.write(4096, data)).isEqualTo(Status.OK);
    assertThat(two.read(4096, data.length)).isEqualTo(data);
    assertThat(here.read(4096, data.length)).isEqualTo(data);
    assertThat(two.compare(4096, data)).isEqualTo(Status.OK);
    assertThat(two.compare(0, data)).isEqualTo(Status.MISCOMPARE);
    assertThat(two.writeFua(0, Io.filled(4096, 8))).isEqualTo(Status.OK);
    assertThat(two.deallocate(0, CLUSTER)).isEqualTo(Status.OK);
    assertThat(one.read(0, CLUSTER)).containsOnly(0);
    assertThat(one.flush()).isEqualTo(Status.OK);
    assertThat(one.write(4 << 20, new byte[4096])).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(volume.openChannels()).isEqualTo(3);
    loops.get(1).run(() -> one.channel().close());
    assertThat(volume.openChannels()).isEqualTo(2);
    assertThat(one.flush()).isEqualTo(Status.ABORTED);
  }

  @Test
  void manyRequestsOfOneTurnComeBackAllOnTheirLoop() {
    SimLoop loop = loops.get(1);
    BlockChannel channel = loop.call(() -> volume.open(loop));
    int[] ended = {0};
    loop.run(() -> {
      for (int i = 0; i < 500; i++) {
        MemorySegment memory = Arena.ofAuto().allocate(4096);
        IoRequest request = new IoRequest(done -> {
          assertThat(loop.inLoop()).isTrue();
          assertThat(done.status).isEqualTo(Status.OK);
          ended[0]++;
        }).prepare(Op.WRITE, i % 1000 * 4096L, 4096);
        request.sgl.add(memory, 0, 4096);
        channel.submit(request);
      }
    });
    sim.runUntil(() -> ended[0] == 500, Io.LIMIT_NS);
  }

  @Test
  void closedPoolAbortsWhatComesFromOtherLoops() {
    Io one = new Io(sim, loops.get(1), volume);
    assertThat(one.write(0, Io.filled(4096, 1))).isEqualTo(Status.OK);
    Io.await(sim, owner.call(pool::close));
    assertThat(one.readStatus(0, 4096)).isEqualTo(Status.ABORTED);
    assertThat(one.flush()).isEqualTo(Status.ABORTED);
  }

  private Status ended(AtomicReference<@Nullable Status> status) {
    sim.runUntil(() -> status.get() != null, Io.LIMIT_NS);
    return Objects.requireNonNull(status.get());
  }

  /** A power loss takes the cluster from its volume when its entry was not flushed: an FUA write has to see to that. */
  @Test
  void fuaWriteFromAnotherLoopSurvivesThoughNobodyHasFlushedTheClustersEntry() {
    Io here = new Io(sim, owner, volume);
    Io one = new Io(sim, loops.get(1), volume);
    assertThat(one.flush()).isEqualTo(Status.OK);
    byte[] data = Io.filled(4096, 5);
    for (int cluster = 0; cluster < 8; cluster++) {
      assertThat(here.write((long) cluster * CLUSTER, Io.filled(4096, 4))).isEqualTo(Status.OK);
      assertThat(one.writeFua((long) cluster * CLUSTER, data)).isEqualTo(Status.OK);
    }
    machine.powerLoss(PowerLoss.ALL_LOST);
    SimLoop again = machine.start(1).getFirst();
    Pool opened = Io.await(sim, again.call(() -> Pool.open(again, List.of(DISK))));
    Io io = new Io(sim, again, opened.volumes().iterator().next());
    for (int cluster = 0; cluster < 8; cluster++) {
      assertThat(io.read((long) cluster * CLUSTER, 4096)).isEqualTo(data);
    }
  }

  /** What a volume loses when it shrinks does not come back when it grows, though a write to it was under way, or came meanwhile. */
  @Test
  void shrinkingWaitsForWritesOfOtherLoops() {
    Io one = new Io(sim, loops.get(1), volume);
    long size = volume.sizeBytes();
    long tail = size - 4096;
    for (int round = 0; round < 1500; round++) {
      assertThat(one.write(tail - 4096, Io.filled(8192, 1))).isEqualTo(Status.OK);
      AtomicReference<@Nullable Status> before = round % 2 == 0
          ? one.begin(Op.WRITE, tail, 4096, Io.filled(4096, 2), false)
          : new AtomicReference<>(Status.OK);
      CompletableFuture<Void> shrunk = owner.call(() -> pool.resize(volume, tail));
      sim.runFor(sim.random().nextLong(200_000));
      // When it is too late the request is beyond the end.
      AtomicReference<@Nullable Status> meanwhile = one.begin(Op.WRITE, tail, 4096, Io.filled(4096, 3), false);
      Io.await(sim, shrunk);
      Io.await(sim, owner.call(() -> pool.resize(volume, size)));
      AtomicReference<@Nullable Status> read = one.begin(Op.FLUSH, 0, 0, null, false);
      assertThat(ended(before)).isEqualTo(Status.OK);
      assertThat(ended(meanwhile)).isIn(Status.OK, Status.OUT_OF_RANGE);
      assertThat(ended(read)).isEqualTo(Status.OK);
      assertThat(one.read(tail, 4096)).as("round %d", round).containsOnly(0);
    }
  }

  @Test
  void closingDoesNotWaitForClustersThatNobodyMakes() {
    Volume large = Io.await(sim,
        owner.call(() -> pool.createVolume(VolumeSpec.thin("l", PoolWorld.uuid(3), 64 << 20))));
    Io one = new Io(sim, loops.get(1), large);
    List<AtomicReference<@Nullable Status>> writes = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      writes.add(one.begin(Op.WRITE, (long) i * CLUSTER, 4096, Io.filled(4096, 1), false));
    }
    Io.await(sim, owner.call(pool::close));
    for (AtomicReference<@Nullable Status> write : writes) {
      assertThat(ended(write)).isIn(Status.OK, Status.ABORTED, Status.NO_SPACE);
    }
  }

  @Test
  void diskThatIsAddedLaterIsOpenedOnEveryLoop() {
    Io one = new Io(sim, loops.get(1), volume);
    assertThat(one.write(0, Io.filled(CLUSTER, 1))).isEqualTo(Status.OK);
    Io.await(sim, owner.call(() -> pool.addDisk(new PoolConfig.DiskSpec(Path.of("/pool/1"), 16 << 20), false)));
    Io.await(sim, owner.call(() -> pool.grow(DISK, 24 << 20)));
    for (int i = 0; i < 64; i++) {
      assertThat(one.write((long) i * CLUSTER, Io.filled(CLUSTER, i))).isEqualTo(Status.OK);
    }
    for (int i = 0; i < 64; i++) {
      assertThat(one.write((long) i * CLUSTER, Io.filled(4096, i + 1))).isEqualTo(Status.OK);
      assertThat(one.read((long) i * CLUSTER, CLUSTER)).startsWith(Io.filled(4096, i + 1)).endsWith(
          Io.filled(4096, i));
    }
    assertThat(one.flush()).isEqualTo(Status.OK);
    assertThat(machine.disk().file(Path.of("/pool/1")).unflushedWrites()).isZero();
  }
}
