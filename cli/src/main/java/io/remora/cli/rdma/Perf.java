package io.remora.cli.rdma;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;

/** Starts the two ends on loops. From any thread; blocks. */
public final class Perf {
  private Perf() {}

  /**
   * What to measure.
   *
   * @param operation {@code send}, {@code write}, {@code read} or {@code atomic}
   * @param bytes of each
   * @param depth how many are under way at once
   * @param rampNs first so long without counting, in nanoseconds
   * @param runtimeNs then so long, in nanoseconds
   * @param operations at most so many; 0: no bound
   * @param pauseNs between two of them, with depth 1; 0: none
   */
  public record Job(String operation, int bytes, int depth, long rampNs, long runtimeNs, long operations,
      long pauseNs) {
    /** Refuses what cannot be measured. */
    public Job {
      Check.argument(pauseNs == 0 || depth == 1, "a pause needs depth 1");
      Check.argument(runtimeNs > 0 && rampNs >= 0, "no time to measure in");
    }
  }

  /**
   * What came of it.
   *
   * @param latency in nanoseconds
   * @param perSecond operations
   * @param elapsedNs for how long it was counted, in nanoseconds
   */
  public record Outcome(Histogram latency, double perSecond, long elapsedNs) {}

  /** Serves measurements on {@code loop} until it is closed. */
  public static PerfServer serve(Provider provider, String device, Loop loop, InetSocketAddress address,
      java.util.function.Consumer<String> log) {
    return on(loop, () -> new PerfServer(provider.open(loop, device), address, log));
  }

  /** Measures against {@code address}; {@code onSample} hears each latency on the loop and must not allocate. */
  public static Outcome measure(Provider provider, String device, Loop loop, InetSocketAddress address, Job job,
      LongConsumer onSample) {
    PerfTerms terms = new PerfTerms(PerfTerms.Operation.parse(job.operation()), job.bytes(), job.depth());
    PerfClient.Plan plan = new PerfClient.Plan(terms, job.rampNs(), job.runtimeNs(), job.operations(), job.pauseNs());
    Context context = on(loop, () -> provider.open(loop, device));
    try {
      PerfClient.Result result = join(on(loop, () -> PerfClient.run(context, address, plan, onSample)));
      return new Outcome(result.latency(), result.perSecond(), result.elapsedNs());
    } finally {
      on(loop, () -> {
        context.close();
        return true;
      });
    }
  }

  static <T> T on(Loop loop, Supplier<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        done.complete(task.get());
      } catch (RuntimeException e) {
        done.completeExceptionally(e);
      }
    });
    return join(done);
  }

  static <T> T join(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RemoraException failure) {
        throw new RemoraException(failure.status(), failure.getMessage(), failure);
      }
      throw new RemoraException(Status.INTERNAL, String.valueOf(e.getCause()), e);
    }
  }
}
