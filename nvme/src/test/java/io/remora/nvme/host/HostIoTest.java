package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HostIoTest {
  @Test
  void describesTheController() {
    HostWorld world = new HostWorld(1);
    HostController controller = world.connect();
    assertThat(controller.status().state()).isEqualTo(HostState.LIVE);
    assertThat(controller.info().serial()).isEqualTo("SERIAL");
    assertThat(controller.info().model()).isEqualTo("scripted target");
    HostNamespace namespace = controller.namespaces().getFirst();
    assertThat(namespace.nsid()).isEqualTo(1);
    assertThat(namespace.sizeBytes()).isEqualTo(4 << 20);
    assertThat(namespace.blockSize()).isEqualTo(512);
    assertThat(namespace.uuid()).isEqualTo(world.target.disk().uuid);
    assertThat(namespace.volatileCache()).isTrue();
    world.close();
  }

  @Test
  void doesEveryOperation() {
    HostWorld world = new HostWorld(2);
    world.connect();
    BlockChannel channel = world.channel();
    byte[] small = world.pattern(512);
    byte[] medium = world.pattern(8192);
    byte[] large = world.pattern(1 << 20);
    assertThat(world.await(world.write(channel, 0, small)).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.write(channel, 4096, medium)).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.write(channel, 1 << 20, large)).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.plain(channel, IoRequest.Op.FLUSH, 0, 0)).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.read(channel, 0, 512)).bytes()).isEqualTo(small);
    assertThat(world.await(world.read(channel, 4096, 8192)).bytes()).isEqualTo(medium);
    assertThat(world.await(world.read(channel, 1 << 20, 1 << 20)).bytes()).isEqualTo(large);
    assertThat(world.await(compare(world, channel, 4096, medium)).status()).isEqualTo(Status.OK);
    assertThat(world.await(compare(world, channel, 8192, medium)).status()).isEqualTo(Status.MISCOMPARE);
    assertThat(world.await(world.plain(channel, IoRequest.Op.WRITE_ZEROES, 1 << 20, 1 << 19)).status())
        .isEqualTo(Status.OK);
    assertThat(world.await(world.plain(channel, IoRequest.Op.DEALLOCATE, 4096, 4096)).status()).isEqualTo(Status.OK);
    Arrays.fill(large, 0, 1 << 19, (byte) 0);
    assertThat(world.await(world.read(channel, 1 << 20, 1 << 20)).bytes()).isEqualTo(large);
    Arrays.fill(medium, 0, 4096, (byte) 0);
    assertThat(world.await(world.read(channel, 4096, 8192)).bytes()).isEqualTo(medium);
    assertThat(world.target.count("io 0")).isEqualTo(1);
    // MDTS is 128 KiB: a MiB takes eight commands.
    assertThat(world.target.count("io 1")).isEqualTo(1 + 1 + 8);
    world.close();
  }

  private static HostWorld.Io compare(HostWorld world, BlockChannel channel, long offset, byte[] data) {
    return world.submit(channel, IoRequest.Op.COMPARE, offset, data.length,
        io -> io.memory.copyFrom(MemorySegment.ofArray(data)));
  }
}
