package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.Opcode;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A target that shuts down answers what it has taken, takes no more, and comes to an end. */
class TargetDrainTest {
  private static final long SECOND = 1_000_000_000L;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  @Test
  void whatWasTakenIsAnswered() {
    TestQueue admin = world.admin();
    TestQueue[] io = {world.io(admin, 1), world.io(admin, 2), world.io(admin, 3)};
    TestQueue newcomer = world.initialized();
    int event = admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    world.device.holding = true;
    int[] cids = new int[30];
    byte[] large = new byte[300_000 / 512 * 512];
    random.nextBytes(large);
    for (int i = 0; i < cids.length; i++) {
      TestQueue queue = io[i % 3];
      cids[i] = i < 27
          ? queue.start(TestQueue.io(Opcode.READ, 1, i, 100), null)
          : queue.startWithR2t(TestQueue.io(Opcode.WRITE, 1, 1000, large.length / 512), large);
    }
    world.settle();
    // R2Ts have come, and their data goes out only after the target has begun to shut down.
    assertThat(world.device.held).isEqualTo(27);
    CompletableFuture<Void> end = world.target.shutDown(5 * SECOND);
    world.settle();
    assertThat(newcomer.ended).isTrue();
    assertThat(end).isNotDone();
    int late = io[0].start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    TestQueue stranger = world.queue();
    stranger.awaitEnd();
    for (int i = 27; i < 30; i++) {
      io[i % 3].answered(cids[i]);
    }
    world.settle();
    assertThat(world.device.held).as("the writes have reached the device").isEqualTo(30);
    assertThat(admin.call(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null).status()).as("the controller lives").isZero();
    world.device.letGo();
    for (int i = 0; i < cids.length; i++) {
      assertThat(io[i % 3].answer(cids[i]).status()).as("command %d, seed %d", i, seed).isZero();
    }
    for (TestQueue queue : io) {
      queue.awaitEnd();
      queue.close();
    }
    admin.awaitEnd();
    admin.close();
    newcomer.close();
    stranger.close();
    world.await(end);
    assertThat(io[0].answered(late)).as("came too late").isFalse();
    assertThat(admin.answered(event)).isFalse();
    assertThat(world.device.bytes(1000 * 512, large.length)).isEqualTo(large);
    assertThat(world.device.openChannels).isZero();
  }

  @Test
  void ioQueuesEndBeforeTheirController() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    CompletableFuture<Void> end = world.target.shutDown(60 * SECOND);
    world.sim.runUntil(() -> io.ended || admin.ended, TestWorld.LIMIT_NS);
    assertThat(admin.ended).isFalse();
    io.close();
    admin.awaitEnd();
    admin.close();
    world.await(end);
  }

  @Test
  void itDoesNotWaitForEver() {
    TestQueue admin = world.admin();
    TestQueue stuck = world.io(admin, 1);
    TestQueue silent = world.io(admin, 2);
    world.device.holding = true;
    stuck.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 16);
    Pdus.view(sqe).putShort(2, (short) 99);
    silent.send(Pdus.pdu(4, 0, Pdus.capsule(sqe), new byte[0], false, false));
    world.settle();
    assertThat(world.device.held).isEqualTo(1);
    CompletableFuture<Void> end = world.target.shutDown(5 * SECOND);
    world.sim.runFor(4 * SECOND);
    assertThat(stuck.ended || silent.ended || admin.ended).isFalse();
    world.sim.runFor(2 * SECOND);
    assertThat(stuck.ended && silent.ended && admin.ended).isTrue();
    assertThat(end).as("a device has a command still").isNotDone();
    world.device.letGo();
    world.await(end);
  }

  @Test
  void anIdleTargetIsShutDownAtOnce() {
    world.await(world.target.shutDown(5 * SECOND));
    TestQueue late = world.queue();
    late.awaitEnd();
  }
}
