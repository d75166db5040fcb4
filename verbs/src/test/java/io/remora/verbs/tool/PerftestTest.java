package io.remora.verbs.tool;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.shm.ShmProvider;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both ends of perftest with each other, over providers that need nothing. */
class PerftestTest {
  static Stream<PerftestEnds.Way> ways() {
    return Stream.of(new PerftestEnds.Way("sim0", () -> new SimFabric().provider()),
        new PerftestEnds.Way("iwarp0", IwarpProvider::new),
        new PerftestEnds.Way("shm0", ShmProvider::new));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void everyOperationOneAfterTheOther(PerftestEnds.Way way) {
    try (PerftestEnds ends = new PerftestEnds(way)) {
      int count = 0;
      for (Operation operation : Operation.values()) {
        for (PerftestJob job : jobs(operation)) {
          InetSocketAddress address = ends.serve(job);
          for (int i = 0; i < 2; i++) {
            PerftestEnds.End end = ends.run(address, job);
            ends.awaitServed(++count);
            PerftestEnds.End other = ends.fabric.on(1, ends.served::getLast);
            assertThat(end.status()).as("%s: %s", job, end).isEqualTo(Status.OK);
            assertThat(other.status()).as("%s: %s", job, other).isEqualTo(Status.OK);
            for (PerftestReport report : List.of(end.report(), other.report())) {
              assertThat(report.bytes()).isEqualTo(job.bytes());
              assertThat(report.iterations()).isEqualTo(job.iterations());
              assertThat(report.averageMiBPerSecond()).isPositive();
            }
          }
        }
      }
    }
  }

  private static List<PerftestJob> jobs(Operation operation) {
    return operation.isAtomic()
        ? List.of(PerftestJob.of(operation, 8, 1, 1), PerftestJob.of(operation, 8, 1000, 16),
            PerftestJob.of(operation, 8, 100, 128))
        : List.of(PerftestJob.of(operation, 1, 1, 1), PerftestJob.of(operation, 100, 1500, 128),
            PerftestJob.of(operation, 65_536, 50, 8), new PerftestJob(operation, 3000, 200, 7, 4, false));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void whoComesInBetweenWaits(PerftestEnds.Way way) {
    try (PerftestEnds ends = new PerftestEnds(way)) {
      PerftestJob endless = PerftestJob.of(Operation.WRITE, 64, PerftestJob.MAX_ITERATIONS, 16);
      InetSocketAddress address = ends.serve(endless);
      PerftestClient first = ends.begin(address, endless);
      ends.fabric.await(1, "the first client", () -> ends.begun == 1);
      PerftestClient second = ends.begin(address, endless);
      ends.fabric.settle();
      ends.fabric.run(0, first::close);
      ends.fabric.await(1, "the second client", () -> ends.begun == 2);
      assertThat(ends.fabric.on(1, ends.served::getFirst).status()).isEqualTo(Status.DISCONNECTED);
      ends.stop();
      ends.fabric.await(0, "the second client's end", () -> ends.clients.size() == 1);
      assertThat(ends.clients.getFirst().status()).isEqualTo(Status.DISCONNECTED);
      ends.fabric.run(0, second::close);
      assertThat(ends.served).hasSize(1);
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void differentJobsAreNoticed(PerftestEnds.Way way) {
    try (PerftestEnds ends = new PerftestEnds(way)) {
      InetSocketAddress address = ends.serve(PerftestJob.of(Operation.SEND, 100, 50, 8));
      assertThat(ends.run(address, PerftestJob.of(Operation.SEND, 99, 50, 8)).status()).isNotEqualTo(Status.OK);
      assertThat(ends.run(address, PerftestJob.of(Operation.SEND, 100, 60, 8)).status()).isNotEqualTo(Status.OK);
      assertThat(ends.run(address, PerftestJob.of(Operation.READ, 100, 50, 8)).status()).isNotEqualTo(Status.OK);
      ends.awaitServed(3);
      assertThat(ends.served).extracting(PerftestEnds.End::status).doesNotContain(Status.OK);
      assertThat(ends.served.get(0).text()).contains("99 bytes");
      assertThat(ends.served.get(1).text()).containsAnyOf("more than 50", "no receive was posted");
      assertThat(ends.run(address, PerftestJob.of(Operation.SEND, 100, 50, 8)).status()).isEqualTo(Status.OK);
    }
  }
}
