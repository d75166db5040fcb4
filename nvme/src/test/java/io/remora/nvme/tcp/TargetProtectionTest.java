package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.KeptProtection;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Write protection of namespaces: what it lets through, whom it tells, and that nothing slips past it. */
class TargetProtectionTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int PROTECTED = NvmeStatus.NAMESPACE_WRITE_PROTECTED | DNR;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  private static byte[] feature(int opcode, int nsid, int value) {
    byte[] sqe = TestQueue.sqe(opcode, nsid);
    Pdus.view(sqe).putInt(40, 0x84).putInt(44, value);
    return sqe;
  }

  private static byte[] protect(boolean on) {
    return feature(Opcode.SET_FEATURES, 1, on ? 1 : 0);
  }

  private static byte[] protectSecond(boolean on) {
    return feature(Opcode.SET_FEATURES, 2, on ? 1 : 0);
  }

  private static long state(TestQueue admin) {
    Reply reply = admin.call(feature(Opcode.GET_FEATURES, 1, 0), null);
    assertThat(reply.status()).isZero();
    return reply.result();
  }

  @Test
  void nothingIsWrittenOnAnyPath() {
    TestQueue admin = world.admin();
    TestQueue other = world.admin();
    assertThat(admin.call(TargetAdminTest.identify(1, 0, 0), null).data()[531]).as("NWPC").isEqualTo((byte) 1);
    int event = other.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    assertThat(state(admin)).isZero();
    assertThat(admin.call(protect(true), null).status()).isZero();
    assertThat(world.device.ops).as("what was written before is durable").containsExactly(IoRequest.Op.FLUSH);
    assertThat(other.answer(event).result()).isEqualTo(0x04_00_02);
    assertThat(state(other)).isEqualTo(1);
    assertThat(admin.call(TargetAdminTest.identify(0, 1, 0), null).data()[99]).as("NSATTR").isEqualTo((byte) 1);
    world.device.ops.clear();
    for (TestQueue io : new TestQueue[] {world.io(admin, 1), world.io(admin, 2), world.io(other, 1),
      world.io(other, 2)}) {
      assertThat(io.call(TestQueue.io(Opcode.WRITE, 1, 0, 1), new byte[512]).status()).isEqualTo(PROTECTED);
      assertThat(io.callWithR2t(TestQueue.io(Opcode.WRITE, 1, 0, 1), new byte[512]).status()).isEqualTo(PROTECTED);
      assertThat(io.call(TestQueue.io(Opcode.WRITE_ZEROES, 1, 0, 1), null).status()).isEqualTo(PROTECTED);
      assertThat(io.call(TestQueue.sqe(Opcode.DATASET_MANAGEMENT, 1), new byte[16]).status()).isEqualTo(PROTECTED);
      assertThat(io.call(TestQueue.sqe(Opcode.COPY, 1), new byte[32]).status()).isEqualTo(PROTECTED);
      assertThat(io.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
      assertThat(io.call(TestQueue.io(Opcode.VERIFY, 1, 0, 1), null).status()).isZero();
      assertThat(io.call(TestQueue.io(Opcode.COMPARE, 1, 0, 1), new byte[512]).status()).isZero();
      assertThat(io.call(TestQueue.sqe(Opcode.FLUSH, 1), null).status()).isZero();
    }
    assertThat(world.device.ops).containsOnly(IoRequest.Op.READ, IoRequest.Op.COMPARE, IoRequest.Op.FLUSH);
    assertThat(other.call(protect(false), null).status()).isZero();
    assertThat(state(admin)).isZero();
    assertThat(world.io(admin, 3).call(TestQueue.io(Opcode.WRITE, 1, 0, 1), new byte[512]).status()).isZero();
  }

  @Test
  void survivesTheControllerThatSetIt() {
    TestQueue admin = world.admin();
    assertThat(admin.call(protect(true), null).status()).isZero();
    admin.setProperty(0x14, 0x00460000);
    admin.enable();
    assertThat(state(admin)).isEqualTo(1);
    admin.reset();
    world.settle();
    assertThat(state(world.admin())).isEqualTo(1);
  }

  @Test
  void wrongRequestsAreRefused() {
    TestQueue admin = world.admin();
    int noSuch = NvmeStatus.INVALID_NAMESPACE | DNR;
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 2, 1), null).status()).isEqualTo(noSuch);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, -1, 1), null).status()).isEqualTo(noSuch);
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 0, 0), null).status()).isEqualTo(noSuch);
    for (int state = 2; state < 8; state++) {
      assertThat(admin.call(feature(Opcode.SET_FEATURES, 1, state), null).status())
          .isEqualTo(NvmeStatus.INVALID_FIELD | DNR);
    }
    assertThat(state(admin)).isZero();
  }

  /** The answer comes when the writes that had begun have ended; those that come meanwhile are refused. */
  @Test
  void writesUnderWayAreAwaited() {
    TestQueue admin = world.admin();
    TestQueue[] io = {world.io(admin, 1), world.io(admin, 2)};
    world.device.holding = true;
    int[] early = new int[2];
    for (int i = 0; i < 2; i++) {
      early[i] = io[i].start(TestQueue.io(Opcode.WRITE, 1, i, 1), new byte[512]);
    }
    world.sim.runUntil(() -> world.device.held == 2, TestWorld.LIMIT_NS);
    int set = admin.start(protect(true), null);
    world.settle();
    int[] late = new int[2];
    for (int i = 0; i < 2; i++) {
      late[i] = io[i].start(TestQueue.io(Opcode.WRITE, 1, i, 1), new byte[512]);
    }
    world.settle();
    assertThat(admin.answered(set)).isFalse();
    assertThat(world.device.held).isEqualTo(2);
    world.device.letGo();
    assertThat(admin.answer(set).status()).isZero();
    for (int i = 0; i < 2; i++) {
      assertThat(io[i].answer(early[i]).status()).isZero();
      assertThat(io[i].answer(late[i]).status()).as("seed %d", seed).isEqualTo(PROTECTED);
    }
    assertThat(world.device.ops).containsExactly(IoRequest.Op.WRITE, IoRequest.Op.WRITE, IoRequest.Op.FLUSH);
  }

  @Test
  void whatCannotBeMadeDurableIsNotProtected() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    world.device.onSubmit = request -> world.device.fail = request.op == IoRequest.Op.FLUSH
        ? Status.MEDIUM_ERROR
        : Status.OK;
    assertThat(admin.call(protect(true), null).status()).isEqualTo(NvmeStatus.WRITE_FAULT);
    assertThat(state(admin)).isZero();
    assertThat(io.call(TestQueue.io(Opcode.WRITE, 1, 0, 1), new byte[512]).status()).isZero();
    world.device.onSubmit = request -> {};
    world.device.fail = Status.OK;
  }

  /** A second namespace on the same device, whose protection somebody keeps. */
  private final class Kept implements KeptProtection.Keeper {
    final List<Boolean> asked = new ArrayList<>();
    CompletableFuture<Void> answer = new CompletableFuture<>();

    Kept(boolean on) {
      world.subsystem.addNamespace(2, world.device, new KeptProtection(on, this));
    }

    @Override
    public CompletableFuture<Void> keep(boolean on) {
      assertThat(world.device.ops.contains(IoRequest.Op.FLUSH)).as("what was written is durable first").isEqualTo(on);
      asked.add(on);
      return answer;
    }

    int write(TestQueue io) {
      return io.call(TestQueue.io(Opcode.WRITE, 2, 0, 1), new byte[512]).status();
    }
  }

  /** It holds at once, and the host is told when it will hold after a restart, too. */
  @Test
  void theHostIsAnsweredWhenItIsKept() {
    Kept kept = new Kept(false);
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    int set = admin.start(protectSecond(true), null);
    world.settle();
    assertThat(kept.asked).containsExactly(true);
    assertThat(admin.answered(set)).isFalse();
    assertThat(kept.write(io)).isEqualTo(PROTECTED);
    kept.answer.complete(null);
    assertThat(admin.answer(set).status()).isZero();
    assertThat(admin.call(protectSecond(true), null).status()).isZero();
    assertThat(kept.asked).as("nothing has changed").containsExactly(true);
    assertThat(kept.write(io)).isEqualTo(PROTECTED);
  }

  @Test
  void protectionFromAnEarlierLifeHolds() {
    world.device.ops.clear();
    Kept kept = new Kept(true);
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 2, 0), null).result()).isEqualTo(1);
    assertThat(kept.write(io)).isEqualTo(PROTECTED);
    int set = admin.start(protectSecond(false), null);
    world.settle();
    assertThat(kept.asked).containsExactly(false);
    assertThat(admin.answered(set)).isFalse();
    int write = io.start(TestQueue.io(Opcode.WRITE, 2, 0, 1), new byte[512]);
    world.settle();
    kept.answer.complete(null);
    assertThat(admin.answer(set).status()).isZero();
    assertThat(io.answer(write).status()).isIn(0, PROTECTED);
    assertThat(kept.write(io)).isZero();
  }

  /** What cannot be kept does not become so, and the host is told. */
  @Test
  void whatCannotBeKeptStays() {
    Kept kept = new Kept(false);
    kept.answer = CompletableFuture.failedFuture(new RemoraException(Status.NO_SPACE, "full"));
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    assertThat(admin.call(protectSecond(true), null).status()).isEqualTo(NvmeStatus.INTERNAL_ERROR);
    assertThat(kept.write(io)).isZero();
    kept.answer = CompletableFuture.completedFuture(null);
    assertThat(admin.call(protectSecond(true), null).status()).isZero();
    world.device.ops.clear();
    kept.answer = CompletableFuture.failedFuture(new RemoraException(Status.NO_SPACE, "full"));
    assertThat(admin.call(protectSecond(false), null).status()).isEqualTo(NvmeStatus.INTERNAL_ERROR);
    assertThat(kept.write(io)).isEqualTo(PROTECTED);
  }

  /** The connection ends while the protection is being kept: nothing is left over, and it is kept. */
  @Test
  void aHostThatDoesNotWaitChangesNothing() {
    Kept kept = new Kept(false);
    TestQueue admin = world.admin();
    admin.start(protectSecond(true), null);
    world.settle();
    admin.reset();
    world.settle();
    kept.answer.complete(null);
    world.settle();
    TestQueue other = world.admin();
    assertThat(other.call(feature(Opcode.GET_FEATURES, 2, 0), null).result()).isEqualTo(1);
    world.device.ops.clear();
    assertThat(other.call(protectSecond(false), null).status()).isZero();
  }

  /** Protection switched on and off under load: no write is answered with success that the device got while it was on. */
  @Test
  void switchedUnderLoad() {
    TestQueue admin = world.admin();
    TestQueue other = world.admin();
    TestQueue[] io = {world.io(admin, 1), world.io(admin, 2), world.io(other, 1), world.io(other, 2)};
    boolean[] on = new boolean[1];
    int[] slipped = new int[1];
    world.device.onSubmit = request -> {
      world.device.delayNs = random.nextInt(3) == 0 ? 0 : random.nextInt(1_000_000);
      slipped[0] += on[0] && request.op == IoRequest.Op.WRITE ? 1 : 0;
    };
    int refused = 0;
    int done = 0;
    for (int round = 0; round < 30; round++) {
      int[] cids = new int[24];
      int set = -1;
      for (int i = 0; i < cids.length; i++) {
        byte[] write = TestQueue.io(Opcode.WRITE, 1, random.nextInt(16), 1);
        cids[i] = random.nextBoolean()
            ? io[i % 4].start(write, new byte[512])
            : io[i % 4].startWithR2t(write, new byte[512]);
        if (i == 12) {
          set = admin.start(protect(true), null);
        }
      }
      assertThat(admin.answer(set).status()).isZero();
      on[0] = true;
      for (int i = 0; i < cids.length; i++) {
        int status = io[i % 4].answer(cids[i]).status();
        assertThat(status).as("seed %d", seed).isIn(0, PROTECTED);
        done += status == 0 ? 1 : 0;
        refused += status == 0 ? 0 : 1;
      }
      on[0] = false;
      assertThat(other.call(protect(false), null).status()).isZero();
    }
    assertThat(slipped[0]).as("seed %d", seed).isZero();
    assertThat(done).isPositive();
    assertThat(refused).isPositive();
  }
}
