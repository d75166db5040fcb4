package io.remora.cli.rdma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.verbs.Context;
import io.remora.verbs.Provider;
import io.remora.verbs.sim.SimFabric;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both ends of the measurement in one process, over the simulated fabric. */
class PerfTest {
  private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final Provider provider = new SimFabric().provider();
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());

  @ParameterizedTest
  @CsvSource({"send, 64, 1", "send, 4096, 32", "send, 0, 7", "write, 4096, 16", "read, 65536, 8", "atomic, 8, 4"})
  void eachOperationIsCounted(String operation, int bytes, int depth) {
    try (Loops loops = Loops.start(Loops.Config.of("perf", 2))) {
      PerfServer server = Perf.serve(provider, "sim0", loops.get(0), ANY, log::add);
      Perf.Outcome outcome = Perf.measure(provider, "sim0", loops.get(1), server.localAddress(),
          new Perf.Job(operation, bytes, depth, 1, 1_000_000_000_000L, 5000, 0), ns -> {});
      assertThat(outcome.latency().getTotalCount()).isEqualTo(5000);
      assertThat(outcome.perSecond()).isPositive();
      assertThat(log).anyMatch(line -> line.contains(operation + ", " + bytes + " bytes, depth " + depth));
    }
  }

  @Test
  void nobodyThereIsSaid() {
    try (Loops loops = Loops.start(Loops.Config.of("perf", 1))) {
      assertThatThrownBy(
          () -> Perf.measure(provider, "sim0", loops.get(0), new InetSocketAddress(InetAddress.getLoopbackAddress(), 9),
              new Perf.Job("write", 8, 1, 0, 1, 1, 0), ns -> {}))
          .isInstanceOf(RemoraException.class)
          .hasMessageContaining("remora rdma perf --listen");
    }
  }

  @Test
  void refusalAfterTheRequestWasTakenSaysWhy() {
    try (Loops loops = Loops.start(Loops.Config.of("perf", 2))) {
      CompletableFuture<InetSocketAddress> listening = new CompletableFuture<>();
      loops.get(0).execute(() -> {
        Context context = provider.open(loops.get(0), "sim0");
        listening.complete(new PerfServer(LateFailure.of(context), ANY, log::add).localAddress());
      });
      for (int i = 0; i <= PerfServer.MAX_SESSIONS; i++) {
        assertThatThrownBy(() -> Perf.measure(provider, "sim0", loops.get(1), listening.join(),
            new Perf.Job("write", 8, 1, 0, 1, 1, 0), ns -> {}))
            .isInstanceOf(RemoraException.class)
            .hasMessageContaining("all queue pairs are taken");
      }
      assertThat(log).hasSize(PerfServer.MAX_SESSIONS + 1).allMatch(line -> line.contains("refused"));
    }
  }

  @Test
  void strangeTermsAreRefused() {
    MemorySegment good = new PerfTerms(PerfTerms.Operation.READ, 4096, 3).encode();
    assertThat(PerfTerms.decode(good)).isEqualTo(new PerfTerms(PerfTerms.Operation.READ, 4096, 3));
    assertThatThrownBy(() -> PerfTerms.decode(good.asSlice(0, 15))).isInstanceOf(RemoraException.class);
    for (int at : new int[] {0, 4, 5, 11, 15}) {
      MemorySegment bad = MemorySegment.ofArray(good.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
      bad.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at, (byte) 0x7f);
      assertThatThrownBy(() -> PerfTerms.decode(bad)).as("byte %d", at).isInstanceOf(RemoraException.class);
    }
    assertThatThrownBy(() -> new PerfTerms(PerfTerms.Operation.WRITE, 8 << 20, 1024))
        .isInstanceOf(RemoraException.class)
        .hasMessageContaining("MiB");
  }
}
