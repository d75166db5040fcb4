package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who listens hears of every arena before a buffer of it is used, and before it is freed; and can refuse it. */
class BufferPoolArenaTest {
  private static final long ARENA_BYTES = 64 << 10;

  private static final class Listener implements BufferPool.ArenaListener {
    final List<MemorySegment> arenas = new ArrayList<>();
    int limit = 100;

    @Override
    public void onArena(MemorySegment arena) {
      if (arenas.size() == limit) {
        throw new RemoraException(Status.NO_RESOURCES, "no more than " + limit);
      }
      arenas.add(arena);
    }

    @Override
    public void onArenaGone(MemorySegment arena) {
      // Still alive.
      assertThat(arena.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)).isZero();
      assertThat(arenas.remove(arena)).isTrue();
    }

    boolean holds(Buffer buffer) {
      long at = buffer.segment().address();
      return arenas.stream().anyMatch(arena -> at >= arena.address()
          && at + buffer.sizeBytes() <= arena.address() + arena.byteSize());
    }
  }

  private final Simulation simulation = new Simulation(1);
  private final SimLoop loop = simulation.machine("a").start(1).getFirst();
  private final BufferPool pool = loop.call(() -> new BufferPool(loop, ARENA_BYTES, 4 * ARENA_BYTES));
  private final BufferPool.Owner owner = pool.owner("test", 4 * ARENA_BYTES);
  private final Listener listener = new Listener();

  private Buffer take() {
    Buffer buffer = pool.take(owner, ARENA_BYTES);
    assertThat(buffer).isNotNull();
    assert buffer != null;
    return buffer;
  }

  @Test
  void arenasAreToldAsTheyComeAndGo() {
    loop.run(() -> {
      Buffer before = take();
      pool.listen(listener);
      assertThat(listener.holds(before)).isTrue();
      Buffer after = take();
      assertThat(listener.holds(after)).isTrue();
      assertThat(listener.arenas).hasSize(2);
      after.release();
      pool.trim();
      assertThat(listener.arenas).hasSize(1);
      before.release();
      pool.close();
      assertThat(listener.arenas).isEmpty();
    });
  }

  @Test
  void whoListensNoMoreHearsThatAllGo() {
    loop.run(() -> {
      pool.listen(listener);
      Buffer one = take();
      Buffer two = take();
      pool.unlisten(listener);
      assertThat(listener.arenas).isEmpty();
      pool.unlisten(listener);
      one.release();
      two.release();
      pool.close();
    });
  }

  @Test
  void aRefusedArenaIsAskedForAgainLater() {
    loop.run(() -> {
      listener.limit = 1;
      pool.listen(listener);
      Buffer first = take();
      assertThat(pool.take(owner, ARENA_BYTES)).isNull();
      listener.limit = 2;
      assertThat(pool.take(owner, ARENA_BYTES)).as("at once").isNull();
      first.release();
    });
    simulation.runFor(2_000_000_000L);
    loop.run(() -> {
      Buffer first = take();
      Buffer second = take();
      assertThat(listener.holds(first) && listener.holds(second)).isTrue();
      first.release();
      second.release();
      pool.close();
    });
    assertThat(listener.arenas).isEmpty();
  }

  @Test
  void theOnlyArenaIsNotDoneWithout() {
    loop.run(() -> {
      Listener other = new Listener();
      pool.listen(other);
      listener.limit = 0;
      pool.listen(listener);
      assertThatThrownBy(() -> pool.take(owner, 1)).isInstanceOf(RemoraException.class).hasMessage("no more than 0");
      assertThat(other.arenas).as("of him who took it").isEmpty();
      assertThat(pool.arenaBytes()).isZero();
      pool.close();
    });
  }

  @Test
  void whoRefusesOneThatIsThereDoesNotListen() {
    loop.run(() -> {
      Buffer one = take();
      Buffer two = take();
      listener.limit = 1;
      assertThatThrownBy(() -> pool.listen(listener)).hasMessage("no more than 1");
      assertThat(listener.arenas).isEmpty();
      one.release();
      two.release();
      pool.close();
      assertThat(listener.arenas).isEmpty();
    });
  }
}
