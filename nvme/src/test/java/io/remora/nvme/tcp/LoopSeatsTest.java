package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.LoopSeats;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** I/O queues are spread over the loops. */
class LoopSeatsTest {
  private static final InetAddress HOST = InetAddress.ofLiteral("10.0.0.1");
  private static final InetAddress OTHER = InetAddress.ofLiteral("10.0.0.2");

  private final Simulation sim = new Simulation(3);
  private final List<SimLoop> loops = sim.machine("target").start(3);
  private final LoopSeats seats = new LoopSeats(loops.getFirst(), List.<Loop>copyOf(loops));

  private void leave(LoopSeats.Seat seat) {
    loops.get(loops.indexOf(seat.loop())).run(seat::leave);
    sim.runFor(1_000_000);
  }

  private List<Integer> taken(InetAddress host, int count) {
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      indexes.add(loops.indexOf(seats.take(host).loop()));
    }
    return indexes;
  }

  @Test
  void hostGetsEachLoopBeforeItGetsOneTwice() {
    seats.take(OTHER);
    assertThat(taken(HOST, 3)).containsExactlyInAnyOrder(0, 1, 2);
    assertThat(taken(HOST, 3)).containsExactlyInAnyOrder(0, 1, 2);
  }

  @Test
  void hostsWithOneQueueEachAreSpread() {
    List<Integer> queues = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      InetAddress host = InetAddress.ofLiteral("10.0.1." + i);
      leave(seats.take(host));
      queues.addAll(taken(host, 1));
    }
    assertThat(queues).containsExactlyInAnyOrder(0, 0, 1, 1, 2, 2);
  }

  @Test
  void seatsThatWereLeftAreTakenFirst() {
    List<LoopSeats.Seat> taken = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      taken.add(seats.take(HOST));
    }
    LoopSeats.Seat left = taken.get(4);
    leave(left);
    leave(left);
    assertThat(seats.take(HOST).loop()).isSameAs(left.loop());
    assertThat(taken(HOST, 3)).containsExactlyInAnyOrder(0, 1, 2);
  }

  /** In plain turn all I/O queues would come to the second of two loops. */
  @Test
  void targetServesControllersWithOneQueueEachOnAllItsLoops() {
    try (TestWorld world = new TestWorld(5)) {
      int[] served = new int[world.targetLoops.size()];
      world.device.onSubmit = _ -> {
        for (int i = 0; i < served.length; i++) {
          served[i] += world.targetLoops.get(i).inLoop() ? 1 : 0;
        }
      };
      for (int round = 0; round < 2; round++) {
        List<TestQueue> queues = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          TestQueue admin = world.admin();
          TestQueue queue = world.io(admin, 1);
          queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null);
          queues.add(queue);
          queues.add(admin);
        }
        assertThat(served).containsExactly(2 * round + 2, 2 * round + 2);
        queues.forEach(TestQueue::close);
        world.settle();
      }
    }
  }
}
