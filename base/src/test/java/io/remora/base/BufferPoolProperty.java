package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.sim.Seeds;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Owners who take, wait, give up and give back at random. */
class BufferPoolProperty {
  private static final long ARENA_BYTES = 64 << 10;
  private static final long MAX_BYTES = 4 * ARENA_BYTES;
  private static final int STEPS = 3_000;
  private static final long LIMIT_NS = 1_000_000_000L;

  private static final class Party {
    final BufferPool.Owner owner;
    final long limitBytes;
    final List<Buffer> held = new ArrayList<>();

    Party(BufferPool.Owner owner, long limitBytes) {
      this.owner = owner;
      this.limitBytes = limitBytes;
    }
  }

  private static final class World {
    final Simulation simulation;
    final SimLoop loop;
    final RandomGenerator random;
    final BufferPool pool;
    final List<Party> parties = new ArrayList<>();
    final TreeMap<Long, Long> taken = new TreeMap<>();
    final List<Waiting> queue = new ArrayList<>();
    int served;
    int servedOutOfOrder;

    /** A waiter, and what it asked for. */
    final class Waiting extends BufferPool.Waiter {
      final Party party;
      final long bytes;

      Waiting(Party party, long bytes) {
        this.party = party;
        this.bytes = bytes;
      }

      @Override
      protected void onBuffer(Buffer buffer) {
        servedOutOfOrder += checkTurn(this);
        queue.remove(this);
        served++;
        took(party, buffer, bytes);
        if (random.nextInt(4) == 0) {
          anything();
        }
      }
    }

    World(long seed) {
      simulation = new Simulation(seed);
      random = simulation.random();
      loop = simulation.machine("a").start(1).getFirst();
      pool = loop.call(() -> new BufferPool(loop, ARENA_BYTES, MAX_BYTES));
      for (long limitBytes : new long[] {ARENA_BYTES, 3 * ARENA_BYTES / 2, MAX_BYTES, 2 * MAX_BYTES}) {
        parties.add(new Party(pool.owner("owner of " + limitBytes, limitBytes), limitBytes));
      }
      simulation.afterEveryEvent(this::checkSums);
    }

    void anything() {
      Party party = parties.get(random.nextInt(parties.size()));
      long bytes = 1 + random.nextLong(random.nextBoolean() ? 4 * BufferArena.MIN_BYTES : ARENA_BYTES);
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3, 4 -> {
          Buffer buffer = pool.take(party.owner, bytes);
          if (buffer != null) {
            assertThat(queue).as("overtakes its own").noneMatch(waiting -> waiting.party.equals(party));
            assertThat(queue).as("overtakes one who could have it").allMatch(this::blocked);
            took(party, buffer, bytes);
          }
        }
        case 5, 6, 7 -> await(party, bytes);
        case 8 -> {
          if (!queue.isEmpty()) {
            Waiting waiting = queue.remove(random.nextInt(queue.size()));
            pool.cancel(waiting);
            assertThat(waiting.waiting()).isFalse();
          }
        }
        case 9 -> pool.trim();
        default -> release(party);
      }
    }

    void await(Party party, long bytes) {
      Waiting waiting = new Waiting(party, bytes);
      queue.add(waiting);
      pool.await(waiting, party.owner, bytes);
    }

    void release(Party party) {
      if (!party.held.isEmpty()) {
        Buffer buffer = party.held.remove(random.nextInt(party.held.size()));
        taken.remove(buffer.segment().address());
        buffer.release();
      }
    }

    void took(Party party, Buffer buffer, long bytes) {
      long address = buffer.segment().address();
      assertThat(buffer.sizeBytes()).isBetween(bytes, Math.max(BufferArena.MIN_BYTES, 2 * bytes - 1));
      assertThat(address % BufferArena.MIN_BYTES).isZero();
      Map.Entry<Long, Long> below = taken.floorEntry(address + buffer.sizeBytes() - 1);
      assertThat(below == null || below.getKey() + below.getValue() <= address).as("overlaps").isTrue();
      taken.put(address, buffer.sizeBytes());
      party.held.add(buffer);
      buffer.segment().set(ValueLayout.JAVA_BYTE, buffer.sizeBytes() - 1, (byte) 1);
      assertThat(party.owner.usedBytes()).isLessThanOrEqualTo(party.limitBytes);
    }

    /** Whoever is passed over has no room under its own limit, or stands behind one of its owner's who has none. */
    int checkTurn(Waiting served) {
      List<Waiting> earlier = queue.subList(0, queue.indexOf(served));
      assertThat(earlier).as("passed over").allMatch(this::blocked);
      assertThat(earlier).as("overtaken by its own").noneMatch(waiting -> waiting.party.equals(served.party));
      return earlier.isEmpty() ? 0 : 1;
    }

    /** Whether it cannot have memory, however much there is. */
    boolean blocked(Waiting waiting) {
      for (Waiting each : queue) {
        long used = each.party.held.stream().mapToLong(Buffer::sizeBytes).sum();
        if (each.party.equals(waiting.party) && used + roundedUp(each.bytes) > each.party.limitBytes) {
          return true;
        }
        if (each.equals(waiting)) {
          return false;
        }
      }
      throw new AssertionError("waits without being in the queue");
    }

    void checkSums() {
      long sum = taken.values().stream().mapToLong(Long::longValue).sum();
      assertThat(pool.usedBytes()).isEqualTo(sum);
      assertThat(pool.arenaBytes()).isBetween(sum, MAX_BYTES);
      for (Party party : parties) {
        assertThat(party.owner.usedBytes()).isEqualTo(party.held.stream().mapToLong(Buffer::sizeBytes).sum());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void buffersAreNeverSharedNobodyExceedsALimitAndEverybodyIsServedInTurn(long seed) {
    World world = new World(seed);
    for (int i = 0; i < STEPS; i++) {
      world.loop.execute(world::anything);
      if (world.random.nextInt(8) == 0) {
        world.simulation.runFor(world.random.nextInt(20_000));
      }
    }
    world.simulation.runFor(LIMIT_NS);
    assertThat(world.served).isGreaterThan(STEPS / 20);
    assertThat(world.servedOutOfOrder).as("some were at their limit and held nobody up").isPositive();

    // Everything comes back: then nobody waits any more, and all the memory is in one piece again.
    Runnable drain = () -> world.parties.forEach(world::release);
    for (int i = 0; i < 10 * STEPS && !(world.queue.isEmpty() && world.taken.isEmpty()); i++) {
      world.loop.execute(drain);
      world.simulation.runFor(10_000);
    }
    assertThat(world.queue).isEmpty();
    world.loop.run(() -> {
      assertThat(world.pool.leaks()).isEmpty();
      Party party = world.parties.getLast();
      for (int i = 0; i < MAX_BYTES / ARENA_BYTES; i++) {
        world.took(party, taken(world.pool.take(party.owner, ARENA_BYTES)), ARENA_BYTES);
      }
      assertThat(world.pool.take(party.owner, 1)).isNull();
      while (!party.held.isEmpty()) {
        world.release(party);
      }
      world.pool.trim();
      assertThat(world.pool.arenaBytes()).isEqualTo(ARENA_BYTES);
      world.pool.close();
    });
  }

  @Test
  void largeRequestIsNotOvertakenByASmallOneOfItsOwner() {
    World world = new World(1);
    Party party = world.parties.getFirst();
    world.loop.run(() -> {
      world.took(party, taken(world.pool.take(party.owner, BufferArena.MIN_BYTES)), BufferArena.MIN_BYTES);
      world.await(party, ARENA_BYTES);
      world.await(party, 1);
    });
    world.simulation.runFor(LIMIT_NS);
    assertThat(world.served).isZero();
    world.loop.run(() -> world.release(party));
    assertThat(world.queue).singleElement().satisfies(waiting -> assertThat(waiting.bytes).isEqualTo(1));
  }

  @Test
  void ownerAtItsLimitHoldsNobodyElseUp() {
    World world = new World(1);
    Party full = world.parties.getFirst();
    Party other = world.parties.getLast();
    world.loop.run(() -> {
      world.took(full, taken(world.pool.take(full.owner, ARENA_BYTES)), ARENA_BYTES);
      world.await(full, 1);
      world.await(full, 1);
      assertThat(world.pool.take(other.owner, 1)).as("there is memory").isNotNull().satisfies(Buffer::release);
      world.await(other, 1);
    });
    assertThat(world.served).isEqualTo(1);
  }

  @Test
  void leaksAreReportedByOwner() {
    World world = new World(1);
    Party party = world.parties.getFirst();
    Buffer buffer = world.loop.call(() -> taken(world.pool.take(party.owner, 5000)));
    assertThat(world.pool.leaks()).isEqualTo("owner of 65536 holds 8192 bytes\n");
    assertThatThrownBy(world.pool::close).isInstanceOf(RemoraException.class)
        .hasMessageContaining("owner of 65536 holds 8192 bytes");
    assertThatThrownBy(() -> world.pool.remove(party.owner)).isInstanceOf(RemoraException.class);
    world.loop.run(() -> {
      buffer.release();
      assertThatThrownBy(buffer::release).isInstanceOf(RemoraException.class).hasMessageContaining("twice");
      world.pool.close();
    });
  }

  private static long roundedUp(long bytes) {
    return Math.max(BufferArena.MIN_BYTES, Long.highestOneBit(bytes * 2 - 1));
  }

  private static Buffer taken(@Nullable Buffer buffer) {
    return java.util.Objects.requireNonNull(buffer, "no memory");
  }

  static long[] seeds() {
    return Seeds.of(10);
  }
}
