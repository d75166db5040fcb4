package io.remora.bench.rdma;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.shm.ShmProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Plays each {@link Pattern} between this process and another one of this machine over the shm provider, a loop on a core each, and prints how long it took. With {@code --sleep}, loops sleep
 * whenever they have nothing to do; with {@code --epoll} they do without io_uring.
 */
public final class RdmaLatency {
  private static final int WARM_UP = 200_000;
  private static final int ROUNDS = 500_000;
  private static final int SLEEPING_ROUNDS = 20_000;

  private RdmaLatency() {}

  /** See the class. */
  public static void main(String[] args) throws Exception {
    List<String> options = Arrays.asList(args);
    Waiting waiting = new Waiting(options.contains("--sleep"), options.contains("--epoll"));
    if (args.length > 0 && args[0].equals("answer")) {
      answer(Pattern.valueOf(args[1]), waiting);
      return;
    }
    System.out.printf("provider shm, two processes, loops on %s that %s; one way is half a round trip%n",
        waiting.epoll ? "epoll" : "io_uring where there is one", waiting.sleeping ? "sleep at once" : "never sleep");
    for (Pattern pattern : Pattern.values()) {
      if (!waiting.sleeping || pattern != Pattern.WRITE) {
        play(pattern, waiting);
      }
    }
  }

  /** How loops wait. */
  private record Waiting(boolean sleeping, boolean epoll) {
    Loops loops(int core) {
      return Loops.start(new Loops.Config("rdma", 1, epoll ? Loops.Backend.EPOLL : Loops.Backend.AUTO,
          sleeping ? 0 : Long.MAX_VALUE, List.of(core)));
    }

    List<String> options() {
      List<String> options = new ArrayList<>();
      if (sleeping) {
        options.add("--sleep");
      }
      if (epoll) {
        options.add("--epoll");
      }
      return options;
    }
  }

  private static void answer(Pattern pattern, Waiting waiting) throws IOException {
    Loop loop = waiting.loops(1).get(0);
    loop.execute(() -> {
      Player player = new Player(loop, new ShmProvider(), ShmProvider.DEVICE, pattern, false, new long[0]);
      CmListener listener = player.context().connectionManager()
          .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), QueuePairType.RC, request -> {
            CmId id = request.attach(player.context(), player);
            player.prepare(id);
            player.learn(request.privateData());
            id.accept(player.offer());
          });
      System.out.println(listener.localAddress().getPort());
    });
    while (System.in.read() >= 0) {
      // Its end is this program's.
    }
    Runtime.getRuntime().halt(0);
  }

  private static void play(Pattern pattern, Waiting waiting) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
        RdmaLatency.class.getName(), "answer", pattern.name()));
    command.addAll(waiting.options());
    Process other = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader output = other.inputReader(StandardCharsets.UTF_8)) {
      int port = Integer.parseInt(String.valueOf(output.readLine()));
      int warmUp = waiting.sleeping ? SLEEPING_ROUNDS / 4 : WARM_UP;
      long[] times = serve(waiting, pattern, port, warmUp + (waiting.sleeping ? SLEEPING_ROUNDS : ROUNDS));
      print(pattern, Arrays.copyOfRange(times, warmUp, times.length));
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  private static long[] serve(Waiting waiting, Pattern pattern, int port, int rounds) throws Exception {
    Provider provider = new ShmProvider();
    Loops loops = waiting.loops(0);
    try {
      CompletableFuture<Player> made = new CompletableFuture<>();
      Loop loop = loops.get(0);
      loop.execute(() -> {
        Player player = new Player(loop, provider, ShmProvider.DEVICE, pattern, true, new long[rounds]);
        player.resolved(player.context().connectionManager()
            .resolve(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), QueuePairType.RC, player));
        made.complete(player);
      });
      return made.get(30, TimeUnit.SECONDS).done().get(120, TimeUnit.SECONDS);
    } finally {
      loops.close();
    }
  }

  private static void print(Pattern pattern, long[] times) {
    Arrays.sort(times);
    double way = pattern.symmetric() ? 2 : 1;
    System.out.printf("%-55s %s p50 %6.2f us, p99 %6.2f us, p99.9 %7.2f us%n", pattern.text(),
        pattern.symmetric() ? "one way " : "round   ", at(times, 0.5) / way, at(times, 0.99) / way,
        at(times, 0.999) / way);
  }

  private static double at(long[] sorted, double share) {
    return sorted[(int) (share * (sorted.length - 1))] / 1000.0;
  }
}
