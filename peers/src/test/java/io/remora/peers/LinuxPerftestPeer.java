package io.remora.peers;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.cli.rdma.PerftestRun;
import io.remora.verbs.iwarp.IwarpProvider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The bandwidth programs of linux-rdma's perftest at the other end, both ways: over soft iWARP with ours outside of the guest, and through libibverbs with ours inside. */
@NeedsGuest
class LinuxPerftestPeer {
  private static final InetAddress HERE = InetAddress.getLoopbackAddress();
  private static final int LIMIT_S = 60;

  private final BlockingQueue<String> served = new LinkedBlockingQueue<>();

  @Test
  void worksWithSiwOverIwarp() {
    int forwarded = Processes.freePort();
    try (Loops loops = Loops.start(Loops.Config.of("perftest", 1))) {
      Loop loop = loops.get(0);
      Map<String, Guest.Answer> answers = Map.of("command",
          words -> String.join(" ", program(words).command(Integer.parseInt(words.get(1)))), "serve",
          words -> serve(loop, program(words)), "served", words -> served(), "measure",
          words -> PerftestRun.text(program(words).job(), PerftestRun.measure(new IwarpProvider(), "iwarp0", loop,
              new InetSocketAddress(HERE, forwarded), program(words).job())));
      Guest.Config config = new Guest.Config("perftest-iwarp", GuestTool.DEFAULT_KERNEL,
          List.of("--smp", "2", "--fwd", "tcp:" + forwarded + ":18515"), Duration.ofMinutes(4));
      try (Guest guest = new Guest(config, "perftest-siw.sh", Map.of("ADDRESS", "10.0.2.2"), answers)) {
        guest.finish(11);
      }
    }
  }

  private static PerftestProgram program(List<String> words) {
    return PerftestProgram.parse(words.get(0));
  }

  private String serve(Loop loop, PerftestProgram program) {
    InetSocketAddress at = PerftestRun.serve(new IwarpProvider(), "iwarp0", loop, new InetSocketAddress(HERE, 0),
        program.job(), served::add);
    return Integer.toString(at.getPort());
  }

  private String served() throws InterruptedException {
    String end = served.poll(LIMIT_S, TimeUnit.SECONDS);
    if (end == null || !end.endsWith("data verified")) {
      throw new AssertionError("our server says: " + end);
    }
    return end;
  }

  @Test
  void worksThroughLibibverbs() {
    List<String> options = new ArrayList<>(
        List.of("--smp", "2", "--mem", "2048", "--java", System.getProperty("java.home")));
    String inside = GuestClassPath.share(options);
    Guest.Config config = new Guest.Config("perftest-ibverbs", GuestTool.DEFAULT_KERNEL, options,
        Duration.ofMinutes(5));
    try (Guest guest = new Guest(config, "perftest-ibverbs.sh", Map.of("CLASS_PATH", inside), Map.of())) {
      guest.finish(17);
    }
  }
}
