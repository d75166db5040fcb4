package io.remora.base.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SimLoopTest {
  private static final long SECOND_NS = 1_000_000_000L;

  private static final StreamSocket.Handler NO_HANDLER = new StreamSocket.Handler() {
    @Override
    public void onReadable() {}

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(Status reason) {}
  };

  private final Simulation simulation = new Simulation(7);
  private final SimMachine machine = simulation.machine("a");
  private final SimLoop loop = machine.start(2).getFirst();
  private final List<String> log = new ArrayList<>();

  @Test
  void tasksOfOneLoopRunInOrder() {
    for (int i = 0; i < 50; i++) {
      String name = String.valueOf(i);
      loop.execute(() -> log.add(name));
    }
    simulation.runUntil(() -> log.size() == 50, SECOND_NS);
    assertThat(log).isEqualTo(IntStream.range(0, 50).mapToObj(String::valueOf).toList());
  }

  @Test
  void loopsInterleaveAsTheSeedDecides() {
    Set<List<String>> orders = new HashSet<>();
    for (long seed = 0; seed < 20; seed++) {
      Simulation world = new Simulation(seed);
      List<String> order = new ArrayList<>();
      for (SimLoop each : world.machine("a").start(2)) {
        for (int i = 0; i < 3; i++) {
          each.execute(() -> order.add(each.name()));
        }
      }
      world.runUntil(() -> order.size() == 6, SECOND_NS);
      orders.add(order);
    }
    assertThat(orders).hasSizeGreaterThan(5);
  }

  @Test
  void deferredTasksRunAtTheEndOfTheTurn() {
    loop.execute(() -> {
      loop.defer(() -> {
        log.add("deferred");
        loop.defer(() -> log.add("deferred by deferred"));
      });
      log.add("task");
    });
    assertThat(simulation.step()).isTrue();
    assertThat(log).containsExactly("task", "deferred", "deferred by deferred");
    assertThat(simulation.step()).isFalse();
  }

  @Test
  void endlessDeferringDoesNotStarveTheWorld() {
    Runnable endless = new Runnable() {
      @Override
      public void run() {
        loop.defer(this);
      }
    };
    loop.execute(endless);
    machine.loop(1).execute(() -> log.add("other loop"));
    loop.execute(() -> log.add("other task"));
    simulation.runUntil(() -> log.size() == 2, SECOND_NS);
  }

  @Test
  void timerFiresOnceAndNotEarly() {
    long startNs = simulation.nowNs();
    List<Long> fired = new ArrayList<>();
    Timer timer = loop.call(() -> loop.timer(() -> fired.add(simulation.nowNs())));
    loop.run(() -> timer.arm(5 * SECOND_NS));
    assertThat(timer.armed()).isTrue();
    loop.run(() -> timer.arm(SECOND_NS));
    simulation.runFor(10 * SECOND_NS);
    assertThat(fired).hasSize(1);
    assertThat(fired.getFirst()).isBetween(startNs + SECOND_NS, startNs + SECOND_NS + 1_000_000);
    assertThat(timer.armed()).isFalse();
  }

  @Test
  void timerCancelledBetweenDueAndTurnDoesNotFire() {
    Timer timer = loop.call(() -> loop.timer(() -> log.add("fired")));
    loop.run(() -> {
      timer.arm(0);
      loop.timer(() -> {}).arm(0);
    });
    simulation.step();
    loop.run(timer::cancel);
    simulation.runFor(SECOND_NS);
    assertThat(log).isEmpty();
  }

  @Test
  void exceptionEndsTheSimulationWithItsSeed() {
    loop.execute(() -> {
      throw new IllegalStateException("boom");
    });
    assertThatThrownBy(() -> simulation.runFor(SECOND_NS)).isInstanceOf(SimulationFailure.class)
        .hasMessageContaining("seed 7").hasMessageContaining("a/0").hasMessageContaining("boom")
        .hasRootCauseInstanceOf(IllegalStateException.class);
    assertThatThrownBy(simulation::step).isInstanceOf(SimulationFailure.class).hasMessageContaining("boom");
  }

  @Test
  void checkersRunAfterEveryEvent() {
    int[] checks = {0};
    simulation.afterEveryEvent(() -> checks[0]++);
    for (int i = 0; i < 100; i++) {
      loop.execute(() -> {});
    }
    simulation.runFor(SECOND_NS);
    assertThat(checks[0]).isEqualTo((int) simulation.events()).isPositive();
    simulation.afterEveryEvent(() -> {
      throw new IllegalStateException("invariant");
    });
    loop.execute(() -> {});
    assertThatThrownBy(() -> simulation.runFor(SECOND_NS)).isInstanceOf(SimulationFailure.class)
        .hasMessageContaining("invariant").hasMessageContaining("seed 7");
  }

  @Test
  void conditionThatNeverHoldsFails() {
    assertThatThrownBy(() -> simulation.runUntil(() -> false, SECOND_NS)).isInstanceOf(SimulationFailure.class)
        .hasMessageContaining("nothing is left");
    Simulation busy = new Simulation(9);
    SimLoop other = busy.machine("b").start(1).getFirst();
    Runnable again = new Runnable() {
      @Override
      public void run() {
        other.execute(this);
      }
    };
    other.execute(again);
    assertThatThrownBy(() -> busy.runUntil(() -> false, 1_000_000)).isInstanceOf(SimulationFailure.class)
        .hasMessageContaining("seed 9").hasMessageContaining("within 0.001000000 s");
  }

  @Test
  void whatBelongsToALoopIsTouchedOnItOnly() {
    assertThatThrownBy(() -> loop.timer(() -> {})).isInstanceOf(RemoraException.class).hasMessageContaining("a/0");
    assertThatThrownBy(() -> machine.loop(1).run(() -> loop.defer(() -> {}))).isInstanceOf(RemoraException.class)
        .hasMessageContaining("a/0 was used by a/1");
    assertThat(loop.inLoop()).isFalse();
    assertThat(loop.call(loop::inLoop)).isTrue();
    assertThat(machine.loop(1).call(loop::inLoop)).isFalse();
  }

  @Test
  void killedLoopsNeverRunAgain() {
    loop.execute(() -> log.add("task"));
    Timer timer = loop.call(() -> loop.timer(() -> log.add("timer")));
    loop.run(() -> timer.arm(1000));
    machine.kill();
    simulation.runFor(SECOND_NS);
    assertThat(log).isEmpty();
    assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(Status.ABORTED));
    SimLoop next = machine.start(1).getFirst();
    next.execute(() -> log.add("new life"));
    simulation.runFor(SECOND_NS);
    assertThat(log).containsExactly("new life");
  }

  @Test
  void machineKilledByAnActionOfTheWorld() {
    Runnable tick = new Runnable() {
      @Override
      public void run() {
        log.add("tick");
        loop.execute(this);
      }
    };
    loop.execute(tick);
    simulation.schedule(1_000_000, machine::kill);
    simulation.runFor(SECOND_NS);
    assertThat(log).isNotEmpty();
    assertThat(machine.running()).isFalse();
  }

  @Test
  void taskThatIsKilledInItsMiddleHasNoEffectAfterwards() {
    loop.execute(() -> {
      loop.disk().store(Path.of("/before"), new byte[1]);
      machine.kill();
      assertThatThrownBy(() -> loop.net().connect(new InetSocketAddress(machine.address(), 1), NO_HANDLER))
          .isInstanceOf(RemoraException.class);
      loop.defer(() -> log.add("deferred"));
      loop.disk().store(Path.of("/after"), new byte[1]);
    });
    simulation.runFor(SECOND_NS);
    assertThat(log).isEmpty();
    assertThat(machine.disk().paths()).containsExactly(Path.of("/before"));
    assertThat(machine.openSockets()).isZero();
  }

  @Test
  void pausedMachineTakesNoTurns() {
    loop.execute(() -> log.add("task"));
    machine.pause();
    simulation.runFor(SECOND_NS);
    assertThat(log).isEmpty();
    machine.resume();
    simulation.runFor(SECOND_NS);
    assertThat(log).containsExactly("task");
  }

  @Test
  void wallClockJumpsAndTheMonotonicDoesNot() {
    long nanos = loop.clock().nanoTime();
    long wall = loop.clock().wallMillis();
    machine.jumpWallClock(-3_600_000);
    simulation.runFor(2_000_000);
    assertThat(loop.clock().nanoTime() - nanos).isEqualTo(2_000_000);
    assertThat(loop.clock().wallMillis() - wall).isEqualTo(2 - 3_600_000);
  }
}
