package io.remora.cli.rdma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Provider;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.tool.PerftestJob;
import io.remora.verbs.tool.PerftestJob.Operation;
import io.remora.verbs.tool.PerftestReport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both ends of {@code remora rdma perf --peer perftest} in one process, over the simulated fabric. */
class PerftestRunTest {
  private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final Provider provider = new SimFabric().provider();
  private final BlockingQueue<String> log = new LinkedBlockingQueue<>();

  @ParameterizedTest
  @EnumSource(Operation.class)
  void eachOperationIsCounted(Operation operation) throws InterruptedException {
    PerftestJob job = PerftestJob.of(operation, 8, 1000, 16);
    try (Loops loops = Loops.start(Loops.Config.of("perftest", 2))) {
      InetSocketAddress address = PerftestRun.serve(provider, "sim0", loops.get(0), ANY, job, log::add);
      PerftestReport report = PerftestRun.measure(provider, "sim0", loops.get(1), address, job);
      assertThat(report.iterations()).isEqualTo(1000);
      assertThat(PerftestRun.text(job, report)).startsWith(operation.text() + ", 8 bytes, 1000 iterations: ");
      assertThat(log.poll(20, TimeUnit.SECONDS)).contains("1000 iterations").endsWith("data verified");
    }
  }

  @Test
  void failureIsSaidAtBothEnds() throws InterruptedException {
    try (Loops loops = Loops.start(Loops.Config.of("perftest", 2))) {
      InetSocketAddress address = PerftestRun.serve(provider, "sim0", loops.get(0), ANY,
          PerftestJob.of(Operation.SEND, 100, 10, 1), log::add);
      assertThatThrownBy(() -> PerftestRun.measure(provider, "sim0", loops.get(1), address,
          PerftestJob.of(Operation.SEND, 99, 10, 1)))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isNotEqualTo(Status.OK))
          .hasMessageContaining("step");
      assertThat(log.poll(20, TimeUnit.SECONDS)).contains("99 bytes instead of 100");
    }
  }
}
