package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.Io;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A volume on several loops: requests go to the pool's loop and come back on the one that submitted. */
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
}
