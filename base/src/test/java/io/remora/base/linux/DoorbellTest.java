package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Doorbell;
import io.remora.base.Ground;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Pollable;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Doorbells: every ring wakes a loop that sleeps, whatever the other process does with the eventfd; nothing but an eventfd is one. */
class DoorbellTest {
  private static final int ROUNDS = 300;
  private static final long MAX_WAIT_NS = 30_000_000_000L;
  /** The most that a counter takes. */
  private static final long FULL = -2;

  /** Tells from outside whether the loop sleeps, without a task that would wake it. */
  private static final class Sleeper implements Pollable {
    /** Odd while it sleeps, or is just about to. */
    final AtomicLong sleeps = new AtomicLong();

    @Override
    public int poll() {
      if (asleep()) {
        sleeps.incrementAndGet();
      }
      return 0;
    }

    @Override
    public boolean arm() {
      if (!asleep()) {
        sleeps.incrementAndGet();
      }
      return true;
    }

    /** The number of the sleep. */
    long awaitSleep() {
      await("a sleep", this::asleep);
      return sleeps.get();
    }

    private boolean asleep() {
      return (sleeps.get() & 1) != 0;
    }

    void awaitWaking(long sleep) {
      await("its end", () -> sleeps.get() != sleep);
    }

    private static void await(String what, BooleanSupplier condition) {
      long giveUp = System.nanoTime() + MAX_WAIT_NS;
      while (!condition.getAsBoolean()) {
        assertThat(System.nanoTime() - giveUp).as("waited for %s", what).isNegative();
        LockSupport.parkNanos(10_000);
      }
    }
  }

  /** Two loops, a doorbell of the second, and that doorbell as the first one has it. */
  private static final class Pair implements AutoCloseable {
    final Ground ground;
    final Loop ringer;
    final Loop owner;
    final Sleeper sleeper = new Sleeper();
    final Doorbell made;
    final Doorbell taken;
    final Libc libc = new Libc();
    final Arena arena = Arena.ofShared();
    final MemorySegment word = arena.allocate(8, 8);

    Pair(Loops.Backend backend) {
      ground = new Ground.Real(backend, Path.of("/tmp"));
      ringer = ground.loop(0);
      owner = ground.loop(1);
      made = ground.call(owner, owner.local()::newDoorbell);
      ground.run(owner, () -> owner.add(sleeper));
      int copy = libc.fcntl(made.descriptor(), Abi.F_DUPFD_CLOEXEC, 0);
      taken = ground.call(ringer, () -> ringer.local().takeDoorbell(copy));
    }

    /** Rings while the loop sleeps, which ends that. */
    void wakes() {
      long sleep = sleeper.awaitSleep();
      ground.run(ringer, taken::ring);
      sleeper.awaitWaking(sleep);
    }

    void write(long value) {
      word.set(JAVA_LONG, 0, value);
      assertThat(libc.tryWrite(taken.descriptor(), word.address(), 8)).isEqualTo(8);
    }

    long read() {
      assertThat(libc.syscall(Abi.X86_64 ? 0 : 63, taken.descriptor(), word.address(), 8, 0, 0, 0)).isEqualTo(8);
      return word.get(JAVA_LONG, 0);
    }

    @Override
    public void close() {
      ground.run(ringer, () -> {
        taken.close();
        taken.close();
        taken.ring();
      });
      ground.run(owner, () -> {
        made.close();
        made.close();
      });
      ground.close();
      arena.close();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void everyRingWakesALoopThatSleeps(Loops.Backend backend) {
    int before = descriptors();
    try (Pair pair = new Pair(backend)) {
      for (int i = 0; i < ROUNDS; i++) {
        pair.wakes();
      }
      assertThat(pair.read()).as("rings that nobody has taken off").isEqualTo(ROUNDS);
    }
    assertThat(descriptors()).as("open descriptors").isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void whoTakesItOffAndMakesItBlockingStopsNothing(Loops.Backend backend) {
    try (Pair pair = new Pair(backend)) {
      pair.wakes();
      assertThat(pair.libc.fcntl(pair.taken.descriptor(), Abi.F_SETFL, 0)).isZero();
      for (int i = 0; i < ROUNDS; i++) {
        pair.read();
        pair.wakes();
      }
      // Taken off between the ring and the look: nothing is left to read.
      for (int i = 0; i < ROUNDS; i++) {
        pair.read();
        pair.write(1);
      }
      pair.wakes();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void whoFillsItStopsNothing(Loops.Backend backend) {
    try (Pair pair = new Pair(backend)) {
      long sleep = pair.sleeper.awaitSleep();
      pair.write(FULL);
      pair.sleeper.awaitWaking(sleep);
      pair.sleeper.awaitSleep();
      // Not blocking, so the ring is lost, and the loop wakes by other things as before.
      pair.ground.run(pair.ringer, pair.taken::ring);
      pair.ground.run(pair.owner, () -> {});
      assertThat(pair.read()).isEqualTo(FULL);
      pair.wakes();
    }
  }

  @Test
  void nothingElseIsADoorbell(@TempDir Path folder) throws IOException {
    try (Ground ground = new Ground.Real(Loops.Backend.AUTO, folder); Arena arena = Arena.ofShared()) {
      Libc libc = new Libc();
      Loop loop = ground.loop(0);
      int before = descriptors();
      Path file = Files.writeString(folder.resolve("anon_inode:[eventfd]"), "x");
      MemorySegment two = arena.allocate(8, 8);
      assertThat(libc.syscall(Abi.X86_64 ? 293 : 59, two.address(), 0, 0, 0, 0, 0)).isZero();
      int readEnd = two.get(java.lang.foreign.ValueLayout.JAVA_INT, 0);
      int writeEnd = two.get(java.lang.foreign.ValueLayout.JAVA_INT, 4);
      refused(ground, loop, writeEnd, "pipe");
      refused(ground, loop, readEnd, "pipe");
      refused(ground, loop, libc.open(arena.allocateFrom(file.toString()).address(), Abi.O_RDWR, 0), file.toString());
      refused(ground, loop, libc.open(arena.allocateFrom("/dev/null").address(), Abi.O_RDWR, 0), "/dev/null");
      refused(ground, loop, libc.socket(Abi.AF_UNIX, Abi.SOCK_STREAM, 0), "socket");
      refused(ground, loop, libc.epollCreate1(0), "eventpoll");
      refused(ground, loop, libc.memfdCreate(arena.allocateFrom("[eventfd]").address(), 0), "memfd:[eventfd]");
      refused(ground, loop, 1_000_000, "unknown");
      refused(ground, loop, -1, "missing");
      assertThat(Files.readString(file)).isEqualTo("x");
      assertThat(descriptors()).as("open descriptors").isEqualTo(before);
    }
  }

  private static void refused(Ground ground, Loop loop, int descriptor, String what) {
    assertThatThrownBy(() -> ground.call(loop, () -> loop.local().takeDoorbell(descriptor)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.PROTOCOL_ERROR))
        .hasMessageContaining("should be an eventfd").hasMessageContaining(what);
  }

  private static int descriptors() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return (int) open.count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
