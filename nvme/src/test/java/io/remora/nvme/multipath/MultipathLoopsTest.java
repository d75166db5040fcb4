package io.remora.nvme.multipath;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.BlockChannel;
import io.remora.block.MemoryDevice;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.TcpTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two paths to our own target over real sockets. */
class MultipathLoopsTest {
  private static final String NQN = "nqn.2024-01.test:paths";
  private static final int DEPTH = 32;
  /** For 20,000 requests; one object per request would be 320,000 bytes and more. */
  private static final long NOISE_BYTES = 40_000;

  /** Keeps requests in flight until so many are done. */
  private static final class Driver {
    private final BlockChannel channel;
    private final List<IoRequest> requests = new ArrayList<>();
    private CompletableFuture<Void> done = new CompletableFuture<>();
    private long left;
    private int inFlight;

    Driver(BlockChannel channel) {
      this.channel = channel;
      for (int i = 0; i < DEPTH; i++) {
        IoRequest request = new IoRequest(this::completed);
        request.owner = Arena.ofAuto().allocate(4096, 4096);
        request.scratch = i;
        requests.add(request);
      }
    }

    CompletableFuture<Void> run(long total) {
      done = new CompletableFuture<>();
      left = total;
      requests.forEach(this::next);
      return done;
    }

    private void next(IoRequest request) {
      if (left > 0) {
        left--;
        inFlight++;
        request.prepare(left % 2 == 0 ? IoRequest.Op.READ : IoRequest.Op.WRITE, left % 64 * 4096, 4096);
        request.sgl.add((MemorySegment) Objects.requireNonNull(request.owner), 0, 4096);
        channel.submit(request);
      }
    }

    private void completed(IoRequest request) {
      inFlight--;
      if (!request.status.isOk()) {
        done.completeExceptionally(new AssertionError(request + ": " + request.status));
      } else if (left > 0) {
        next(request);
      } else if (inFlight == 0) {
        done.complete(null);
      }
    }
  }

  private static <T> T await(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @ParameterizedTest
  @EnumSource
  void steadyIoAllocatesNothing(PathPolicy policy) {
    Loops.Config config = new Loops.Config("target", 1, Loops.Backend.EPOLL, 0, List.of());
    try (Loops targetLoops = Loops.start(config);
        Loops hostLoops = Loops.start(new Loops.Config("host", 1, Loops.Backend.EPOLL, 0, List.of()))) {
      Target target = new Target(TargetConfig.DEFAULT);
      Subsystem subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
      subsystem.allowAnyHost(true);
      subsystem.addNamespace(1, new MemoryDevice("memory", new UUID(1, 2), 1 << 20, 512));
      InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      TargetListener one = await(TcpTarget.listen(targetLoops.all(), any, target));
      TargetListener two = await(TcpTarget.listen(targetLoops.all(), any, target));
      MultipathOptions options = MultipathOptions.of(HostOptions.of(one.localAddress(), NQN).withQueues(1, DEPTH))
          .withPolicy(policy);
      MultipathDevice device = await(MultipathDevice.open(new HostTcp(), hostLoops.all(), options,
          List.of(one.localAddress(), two.localAddress())));
      measure(device, hostLoops.all().getFirst());
      await(device.close());
      one.close();
      two.close();
      await(target.close());
    }
  }

  private static void measure(MultipathDevice device, Loop loop) {
    Driver driver = await(CompletableFuture.supplyAsync(() -> new Driver(device.open(loop)), loop));
    long thread = await(CompletableFuture.supplyAsync(() -> Thread.currentThread().threadId(), loop));
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 200 && best > NOISE_BYTES; round++) {
      long before = bean.getThreadAllocatedBytes(thread);
      await(CompletableFuture.supplyAsync(() -> driver.run(20_000), loop).thenCompose(done -> done));
      best = Math.min(best, bean.getThreadAllocatedBytes(thread) - before);
    }
    System.out.println("allocated by 20000 requests over two paths: " + best + " bytes");
    assertThat(best).isLessThanOrEqualTo(NOISE_BYTES);
  }
}
