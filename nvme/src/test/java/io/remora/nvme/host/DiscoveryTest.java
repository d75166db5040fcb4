package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import io.remora.nvme.tcp.HostTcp;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class DiscoveryTest {
  private static byte[] log(long generation, int count) {
    ByteBuffer log = ScriptedConnection.buffer(1024 * (count + 1)).putLong(0, generation).putLong(8, count);
    for (int i = 0; i < count; i++) {
      int at = 1024 * (i + 1);
      log.put(at, (byte) 3).put(at + 1, (byte) 1).put(at + 2, (byte) 2).putShort(at + 4, (short) i)
          .putShort(at + 6, (short) 0xffff);
      log.put(at + 32, "4420".getBytes(StandardCharsets.UTF_8));
      log.put(at + 256, ("nqn.2024-01.test:" + generation + "-" + i).getBytes(StandardCharsets.UTF_8));
      log.put(at + 512, "10.0.0.2".getBytes(StandardCharsets.UTF_8));
    }
    byte[] bytes = new byte[log.capacity()];
    log.get(0, bytes);
    return bytes;
  }

  private static CompletableFuture<List<DiscoveryEntry>> read(HostWorld world) {
    world.target.discovery = true;
    CompletableFuture<List<DiscoveryEntry>> list = DiscoveryClient.read(new HostTcp(), world.hostLoops.getFirst(),
        world.options);
    world.sim.runUntil(list::isDone, 60 * HostWorld.SECOND);
    world.sim.runFor(HostWorld.SECOND);
    assertThat(world.hostMachine.openSockets()).isZero();
    return list;
  }

  @Test
  void readsAllEntries() {
    HostWorld world = new HostWorld(1);
    world.target.discoveryLog = log(7, 11);
    List<DiscoveryEntry> entries = read(world).join();
    assertThat(entries).hasSize(11);
    assertThat(entries.get(10)).isEqualTo(new DiscoveryEntry(DiscoveryEntry.Transport.TCP, 1, DiscoveryEntry.Kind.NVM,
        10, 0xffff, "10.0.0.2", "4420", "nqn.2024-01.test:7-10"));
    assertThat(world.target.count("admin 2")).isEqualTo(2 + 3);
  }

  @Test
  void readsAgainWhatChangedMeanwhile() {
    HostWorld world = new HostWorld(2);
    world.target.discoveryLog = log(1, 5);
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        if (world.target.count("admin 2") == 3) {
          world.target.discoveryLog = log(2, 6);
        }
        return false;
      }
    };
    List<DiscoveryEntry> entries = read(world).join();
    assertThat(entries).hasSize(6).allMatch(entry -> entry.subsystemNqn().contains(":2-"));
  }

  @Test
  void saysWhatIsWrong() {
    HostWorld world = new HostWorld(3);
    byte[] log = log(1, 1);
    log[14] = 1;
    world.target.discoveryLog = log;
    assertThatThrownBy(read(world)::join).cause().hasMessageContaining("entries")
        .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.PROTOCOL_ERROR);
    world.target.connectStatus = 0x4184;
    assertThatThrownBy(read(world)::join).cause().hasMessageContaining("this host is not allowed");
  }
}
