package io.remora.verbs.tool;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.tck.SimulatedFabric;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Perftest's two ends on simulated machines. */
class PerftestSim {
  private static final long MINUTE_NS = 60_000_000_000L;
  private static final List<PerftestStep> STEPS = PerftestStep.of(Operation.READ);

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void everyOperation(long seed) {
    for (Operation operation : Operation.values()) {
      try (PerftestEnds ends = ends(seed)) {
        PerftestJob job = PerftestJob.of(operation, 8, 300, 16);
        InetSocketAddress address = ends.serve(job);
        assertThat(ends.run(address, job).status()).as("%s, seed %d", operation, seed).isEqualTo(Status.OK);
        ends.awaitServed(1);
        assertThat(ends.served.getFirst().status()).as("%s, seed %d", operation, seed).isEqualTo(Status.OK);
      }
    }
  }

  /** After so many steps the client falls silent: it has a minute. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 5})
  void whoIsSilentIsLetGo(int after) {
    SimulatedFabric fabric = fabric(1);
    try (PerftestEnds ends = new PerftestEnds(fabric)) {
      InetSocketAddress address = ends.serve(PerftestJob.of(Operation.READ, 64, 10, 1));
      PerftestRawEnd raw = ends.fabric.on(0, () -> {
        PerftestRawEnd made = new PerftestRawEnd(ends.near, (end, heard) -> {
          if (heard < after) {
            end.say(STEPS.get(heard));
          }
        });
        made.connect(address, CmId.Parameters.DEFAULT);
        return made;
      });
      ends.fabric.await(0, "the connection", () -> raw.established);
      if (after > 0) {
        ends.fabric.run(0, () -> raw.say(PerftestStep.VERSION));
      }
      fabric.simulation().runFor(MINUTE_NS + MINUTE_NS / 10);
      assertThat(ends.served).hasSize(1);
      assertThat(ends.served.getFirst().status()).isEqualTo(Status.TIMED_OUT);
      assertThat(ends.served.getFirst().text()).contains(STEPS.get(after).name());
      ends.fabric.run(0, raw::close);
    }
  }

  /** A client asks again where nobody listens, for some seconds. */
  @ParameterizedTest
  @EnumSource(value = Operation.class, names = {"SEND", "READ"})
  void whoIsRefusedTriesAgain(Operation operation) {
    SimulatedFabric fabric = fabric(7);
    try (PerftestEnds ends = new PerftestEnds(fabric)) {
      PerftestJob job = PerftestJob.of(operation, 64, 10, 1);
      InetSocketAddress address = ends.serve(job);
      ends.stop();
      PerftestClient early = ends.begin(address, job);
      fabric.simulation().runFor(1_000_000_000L);
      assertThat(ends.clients).isEmpty();
      PerftestServer late = ends.fabric.on(1,
          () -> new PerftestServer(ends.far, address, job, (client, status, text, report) -> {}));
      ends.fabric.await(0, "the client", () -> ends.clients.size() == 1);
      assertThat(ends.clients.getFirst().status()).isEqualTo(Status.OK);
      ends.fabric.run(1, late::close);
      ends.fabric.run(0, early::close);

      ends.begin(address, job);
      fabric.simulation().runFor(6_000_000_000L);
      assertThat(ends.clients).hasSize(2);
      assertThat(ends.clients.getLast().status()).isEqualTo(Status.NOT_FOUND);
    }
  }

  private static PerftestEnds ends(long seed) {
    return new PerftestEnds(fabric(seed));
  }

  private static SimulatedFabric fabric(long seed) {
    return new SimulatedFabric(new SimFabric().provider(), "sim0", seed);
  }
}
