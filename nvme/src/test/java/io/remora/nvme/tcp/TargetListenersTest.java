package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.Nqn;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.TargetListener;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One target at several addresses, and discovery controllers that stay and hear of every change. */
class TargetListenersTest {
  private final long seed = System.nanoTime();
  private final TestWorld world = new TestWorld(seed);
  private final List<TargetListener> listeners = new ArrayList<>();

  @AfterEach
  void nothingIsLeft() {
    listeners.forEach(TargetListener::close);
    world.close();
  }

  private TargetListener listen(int port) {
    TargetListener listener = world.await(TcpTarget.listen(List.copyOf(world.targetLoops),
        new InetSocketAddress(world.targetMachine.address(), port), world.target));
    listeners.add(listener);
    return listener;
  }

  private TestQueue discovery(int kato) {
    TestQueue queue = world.initialized().connectAdmin(Nqn.DISCOVERY, TestWorld.HOST, kato);
    queue.enable();
    return queue;
  }

  /** Subsystem and port of each entry of the discovery log; reads it to its end, which rearms the event. */
  private static List<String> entries(TestQueue host) {
    int records = (int) Pdus.view(host.call(TargetAdminTest.log(0x70, 1024, 0, true), null).data()).getLong(8);
    byte[] page = host.call(TargetAdminTest.log(0x70, 1024 * (records + 1), 0, false), null).data();
    List<String> entries = new ArrayList<>();
    for (int i = 1; i <= records; i++) {
      String nqn = new String(page, 1024 * i + 256, 223, StandardCharsets.US_ASCII).replace("\0", "");
      entries.add(nqn + " " + new String(page, 1024 * i + 32, 32, StandardCharsets.US_ASCII).strip());
    }
    return entries;
  }

  private Subsystem second() {
    return Objects.requireNonNull(world.target.subsystem("nqn.2024-01.test:second"));
  }

  private static long generation(TestQueue host) {
    return Pdus.view(host.call(TargetAdminTest.log(0x70, 1024, 0, true), null).data()).getLong(0);
  }

  @Test
  void aTargetIsReachedAtEveryAddress() {
    TargetListener second = listen(4421);
    assertThat(second.port().id()).isNotEqualTo(world.listener.port().id());
    assertThat(entries(discovery(0))).containsExactlyInAnyOrder(TestWorld.NQN + " 4420", TestWorld.NQN + " 4421");
    TestQueue admin = world.queue(second.localAddress()).initialize(0, false, false);
    admin.connectAdmin(TestWorld.NQN, TestWorld.HOST, 0).enable();
    // Queues of one controller may come in anywhere.
    TestQueue here = world.io(admin, 1);
    TestQueue there = world.queue(second.localAddress()).initialize(0, false, false).connectIo(admin, 2, 31, true);
    byte[] data = new byte[512];
    data[7] = 9;
    assertThat(here.call(TestQueue.io(Opcode.WRITE, 1, 3, 1), data).status()).isZero();
    assertThat(there.call(TestQueue.io(Opcode.READ, 1, 3, 1), null).data()).isEqualTo(data);
    second.close();
    world.settle();
    TestQueue refused = world.queue(second.localAddress());
    refused.awaitEnd();
    assertThat(there.call(TestQueue.io(Opcode.READ, 1, 3, 1), null).data()).as("what stands goes on").isEqualTo(data);
    assertThat(entries(discovery(0))).containsExactly(TestWorld.NQN + " 4420");
  }

  @Test
  void aDiscoveryControllerThatStaysHearsOfEveryChange() {
    TestQueue host = discovery(5000);
    long generation = generation(host);
    List<Runnable> changes = List.of(
        () -> listen(4421),
        () -> world.target.addSubsystem(Subsystem.Config.of("nqn.2024-01.test:second")).allowHost(TestWorld.HOST),
        () -> second().denyHost(TestWorld.HOST),
        () -> second().allowAnyHost(true),
        () -> world.await(world.target.removeSubsystem("nqn.2024-01.test:second")));
    int[] expected = {2, 4, 2, 4, 2};
    for (int i = 0; i < expected.length; i++) {
      int event = host.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
      for (int k = 0; k < 4; k++) {
        world.sim.runFor(4_000_000_000L);
        assertThat(host.call(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null).status()).isZero();
      }
      assertThat(host.answered(event)).as("before change %d", i).isFalse();
      changes.get(i).run();
      assertThat(host.answer(event).result()).as("change %d", i).isEqualTo(0x70_F0_02);
      assertThat(generation(host)).isGreaterThan(generation);
      generation = generation(host);
      assertThat(entries(host)).as("after change %d", i).hasSize(expected[i]);
    }
    world.sim.runFor(11_000_000_000L);
    assertThat(host.ended).as("silent").isTrue();
  }
}
