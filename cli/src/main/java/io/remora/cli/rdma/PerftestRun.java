package io.remora.cli.rdma;

import io.remora.base.Addresses;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.Provider;
import io.remora.verbs.tool.PerftestClient;
import io.remora.verbs.tool.PerftestJob;
import io.remora.verbs.tool.PerftestReport;
import io.remora.verbs.tool.PerftestServer;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Starts the two ends that speak perftest's protocol on loops. From any thread; blocks. */
public final class PerftestRun {
  private PerftestRun() {}

  /**
   * Serves clients of perftest's on {@code loop} until that is closed.
   *
   * @param log hears of each client, for people
   */
  public static InetSocketAddress serve(Provider provider, String device, Loop loop, InetSocketAddress address,
      PerftestJob job, Consumer<String> log) {
    PerftestServer.Listener listener = new PerftestServer.Listener() {
      @Override
      public void onEnd(InetSocketAddress client, Status status, String text, @Nullable PerftestReport report) {
        log.accept(
            Addresses.format(client) + ": " + (report == null ? status.text() + ", " + text : text(job, report)));
      }
    };
    return Perf.on(loop, () -> {
      Context context = provider.open(loop, device);
      return new PerftestServer(context, address, job, listener).localAddress();
    });
  }

  /** Measures against a server of perftest's at {@code address}. */
  public static PerftestReport measure(Provider provider, String device, Loop loop, InetSocketAddress address,
      PerftestJob job) {
    CompletableFuture<PerftestReport> end = new CompletableFuture<>();
    Context context = Perf.on(loop, () -> provider.open(loop, device));
    try {
      Perf.on(loop, () -> new PerftestClient(context, address, job, (status, text, report) -> {
        if (report == null) {
          end.completeExceptionally(new RemoraException(status, "the run with " + Addresses.format(address)
              + " failed " + text));
        } else {
          end.complete(report);
        }
      }));
      return Perf.join(end);
    } finally {
      Perf.on(loop, () -> {
        context.close();
        return true;
      });
    }
  }

  /** For people. */
  public static String text(PerftestJob job, PerftestReport report) {
    return String.format(Locale.ROOT, "%s, %d bytes, %d iterations: %.2f MiB/s, %.0f per second%s",
        job.operation().text(), report.bytes(), report.iterations(), report.averageMiBPerSecond(),
        report.millionsPerSecond() * 1e6, job.verified() ? ", data verified" : "");
  }
}
