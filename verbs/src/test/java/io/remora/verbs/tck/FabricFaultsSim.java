package io.remora.verbs.tck;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.verbs.AddressHandle;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.sim.SimFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What may happen to messages when connections break and datagrams are lost, by seed; {@code -Dremora.seed} repeats one. */
class FabricFaultsSim {
  private static final long FIRST = Long.getLong("remora.seed", 1);
  private static final int SEEDS = Long.getLong("remora.seed") == null ? 150 : 1;
  private static final int MESSAGES = 60;

  @Test
  void reliableMessagesArriveOnceInOrderOrTheConnectionEnds() {
    int broken = 0;
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      broken += reliable(seed) ? 1 : 0;
    }
    if (SEEDS > 1) {
      assertThat(broken).as("connections that broke").isBetween(SEEDS / 5, SEEDS * 4 / 5);
    }
  }

  /** Sends numbers; returns whether the connection broke. */
  private static boolean reliable(long seed) {
    SimFabric sim = new SimFabric();
    sim.delay(0, 100_000);
    try (Fabric fabric = new SimulatedFabric(sim.provider(), "sim0", seed); Pair pair = new Pair(fabric).warm()) {
      sim.breakConnections(0.015);
      for (int i = 0; i < MESSAGES; i++) {
        pair.other.receive(i, 4L * i, 4);
      }
      fabric.run(0, () -> {
        for (int i = 0; i < MESSAGES; i++) {
          pair.one.memory.setAtIndex(JAVA_INT, i, 1000 + i);
          pair.one.queuePair.postSend(pair.one.request(i, 4L * i, 4));
        }
      });
      fabric.settle();
      List<End.Completion> sent = all(pair.one);
      List<End.Completion> received = all(pair.other);
      boolean whole = pair.one.state() == QueuePairState.READY_TO_SEND;
      assertThat(sent).as("seed %d: every request shows", seed).hasSize(MESSAGES);
      assertThat(received).as("seed %d: so does every receive, or it waits", seed).hasSize(MESSAGES);
      int arrived = 0;
      while (arrived < received.size() && received.get(arrived).ok()) {
        assertThat(received.get(arrived).id()).as("seed %d: order", seed).isEqualTo(arrived);
        int at = arrived;
        assertThat(fabric.on(1, () -> pair.other.memory.getAtIndex(JAVA_INT, at))).as("seed %d: message %d", seed, at)
            .isEqualTo(1000 + at);
        arrived++;
      }
      assertThat(received.subList(arrived, received.size())).as("seed %d: nothing after a failure", seed)
          .noneMatch(End.Completion::ok);
      long acknowledged = sent.stream().filter(End.Completion::ok).count();
      assertThat(acknowledged).as("seed %d: what is acknowledged has arrived", seed).isLessThanOrEqualTo(arrived);
      if (whole) {
        assertThat(arrived).as("seed %d", seed).isEqualTo(MESSAGES);
      } else {
        assertThat(pair.one.disconnection).as("seed %d", seed).isNotNull();
        assertThat(pair.other.disconnection).as("seed %d", seed).isNotNull();
        assertThat(pair.other.state()).as("seed %d", seed).isEqualTo(QueuePairState.ERROR);
      }
      return !whole;
    }
  }

  @Test
  void datagramsAreLostButNeitherDoubledNorReordered() {
    int lost = 0;
    for (long seed = FIRST; seed < FIRST + SEEDS / 5 + 1; seed++) {
      SimFabric sim = new SimFabric();
      sim.delay(0, 100_000);
      sim.loseDatagrams(0.2);
      try (Fabric fabric = new SimulatedFabric(sim.provider(), "sim0", seed); Pair pair = Pair.datagrams(fabric)) {
        CmId.Established way = Objects.requireNonNull(pair.one.established);
        AddressHandle destination = Objects.requireNonNull(way.destination());
        int slot = ReceiveRequest.ROUTE_HEADER_BYTES + 4;
        for (int i = 0; i < MESSAGES; i++) {
          pair.other.receive(i, (long) slot * i, slot);
        }
        fabric.run(0, () -> {
          for (int i = 0; i < MESSAGES; i++) {
            pair.one.memory.setAtIndex(JAVA_INT, i, i);
            pair.one.queuePair
                .postSend(pair.one.request(i, 4L * i, 4).send().to(destination, way.queuePair(), way.queueKey()));
          }
        });
        fabric.settle();
        assertThat(all(pair.one)).allMatch(End.Completion::ok).hasSize(MESSAGES);
        List<End.Completion> received = all(pair.other);
        lost += MESSAGES - received.size();
        int before = -1;
        for (End.Completion completion : received) {
          long at = completion.id() * slot + ReceiveRequest.ROUTE_HEADER_BYTES;
          int number = fabric.on(1, () -> pair.other.memory.get(JAVA_INT, at));
          assertThat(number).as("seed %d", seed).isGreaterThan(before);
          before = number;
        }
      }
    }
    assertThat(lost).isPositive();
  }

  private static List<End.Completion> all(End end) {
    List<End.Completion> shown = new ArrayList<>();
    while (!end.silent()) {
      shown.add(end.next());
    }
    return shown;
  }
}
