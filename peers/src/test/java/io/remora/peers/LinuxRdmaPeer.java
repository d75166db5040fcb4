package io.remora.peers;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.verbs.Context;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.tool.PingClient;
import io.remora.verbs.tool.PingServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** rping of rdma-core on a stock Linux kernel with soft iWARP (siw), both ways, against this project's user-space iWARP. What is checked stands in {@code linux-rdma.sh}. */
@NeedsGuest
class LinuxRdmaPeer {
  private static final IwarpProvider.Config PLAIN = IwarpProvider.Config.DEFAULT;
  private static final Map<String, IwarpProvider.Config> WAYS = Map.of("plain", PLAIN, "crc", PLAIN.withCrc(true),
      "short",
      PLAIN.withMaxFrameBytes(1000), "quiet", PLAIN.withPeerToPeer(false));

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void pingsTheKernelBothWays(String kernel) throws Exception {
    try (Loops loops = Loops.start(Loops.Config.of("rdma-peer", 1))) {
      Loop loop = loops.get(0);
      List<AutoCloseable> open = new ArrayList<>();
      int port = serve(loop, PLAIN, open);
      int crcPort = serve(loop, PLAIN.withCrc(true), open);
      int forwarded = Processes.freePort();
      Map<String, String> environment = Map.of("ADDRESS", "10.0.2.2", "PORT", Integer.toString(port), "CRC_PORT",
          Integer.toString(crcPort));
      Map<String, Guest.Answer> answers = Map.of("ping", words -> ping(loop, words, forwarded));
      Guest.Config config = new Guest.Config("rdma-" + kernel, kernel, List.of("--fwd", "tcp:" + forwarded + ":7174"),
          Duration.ofMinutes(5));
      try (Guest guest = new Guest(config, "linux-rdma.sh", environment, answers)) {
        guest.finish(15);
      }
      for (AutoCloseable each : open.reversed()) {
        on(loop, () -> {
          each.close();
          return true;
        });
      }
    }
  }

  private static int serve(Loop loop, IwarpProvider.Config config, List<AutoCloseable> open) {
    return on(loop, () -> {
      Context context = new IwarpProvider(config).open(loop, "iwarp0");
      open.add(context);
      PingServer server = new PingServer(context, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
          new PingServer.Listener() {
          });
      open.add(server);
      return server.localAddress().getPort();
    });
  }

  /** Answers {@code ping WAY ROUNDS BYTES}. */
  private static String ping(Loop loop, List<String> words, int port) {
    CompletableFuture<String> end = new CompletableFuture<>();
    Context context = on(loop,
        () -> new IwarpProvider(Objects.requireNonNull(WAYS.get(words.get(0)))).open(loop, "iwarp0"));
    on(loop,
        () -> new PingClient(context, new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
            Integer.parseInt(words.get(1)),
            Integer.parseInt(words.get(2)), (status, text) -> {
              if (status.isOk()) {
                end.complete(text);
              } else {
                end.completeExceptionally(new AssertionError(status + ": " + text));
              }
            }));
    String text = end.orTimeout(60, TimeUnit.SECONDS).join();
    on(loop, () -> {
      context.close();
      return true;
    });
    return text;
  }

  private static <T> T on(Loop loop, Callable<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        done.complete(task.call());
      } catch (Exception e) {
        done.completeExceptionally(e);
      }
    });
    return done.join();
  }
}
