package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Loop;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Measures what loops allocate for sends, receives, writes and reads, once all is warm. */
final class Allocation {
  /** Rounds of one look (fewer where the processor is emulated), and looks until one must have seen nothing allocated: compilers allocate for who is not compiled yet. */
  private static final int ROUNDS = Integer.getInteger("remora.test.rounds", 5_000);
  private static final int LOOKS = 32;
  private static final long LIMIT_S = 60;

  private Allocation() {}

  /** A message there and back again and again, with a write and a read beside it. */
  private static final class PingPong implements Runnable {
    private final End end;
    private final Loop loop;
    private final boolean leads;
    private final WorkCompletions polled = new WorkCompletions(16);
    private final SendRequest message;
    private final SendRequest write;
    private final SendRequest read;
    private final ReceiveRequest receive;
    private int until;
    private @Nullable CompletableFuture<Integer> reached;
    int received;
    int failed;
    boolean stop;

    PingPong(End end, End peer, boolean leads) {
      this.end = end;
      this.loop = end.context.loop();
      this.leads = leads;
      this.message = end.request(1, 0, 64);
      this.write = end.request(2, 0, 4096).signalled(false).write(peer.region.address() + 8192, peer.key());
      this.read = end.request(3, 16_384, 4096).signalled(false).read(peer.region.address(), peer.key());
      this.receive = new ReceiveRequest().id(4).piece(end.region, 4096, 64);
    }

    void begin() {
      for (int i = 0; i < 4; i++) {
        end.queuePair.postReceive(receive);
      }
      if (leads) {
        send();
      }
      loop.execute(this);
    }

    /** Ends with the number of failures after so many more rounds, or when one fails. Meanwhile nobody else takes the loops' processors. */
    CompletableFuture<Integer> rounds(int count) {
      CompletableFuture<Integer> result = new CompletableFuture<>();
      loop.execute(() -> {
        until = received + count;
        reached = result;
      });
      return result.orTimeout(LIMIT_S, TimeUnit.SECONDS);
    }

    private void send() {
      if (leads) {
        end.queuePair.postSend(write);
        end.queuePair.postSend(read);
      }
      end.queuePair.postSend(message);
    }

    @Override
    public void run() {
      end.completions.poll(polled);
      for (int i = 0; i < polled.count(); i++) {
        if (!polled.ok(i)) {
          failed++;
        } else if (polled.id(i) == 4) {
          received++;
          end.queuePair.postReceive(receive);
          send();
        }
      }
      CompletableFuture<Integer> waiting = reached;
      if (waiting != null && (received - until >= 0 || failed > 0)) {
        reached = null;
        waiting.complete(failed);
      }
      if (!stop) {
        loop.execute(this);
      }
    }
  }

  static void check(Fabric fabric, Pair pair) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    PingPong one = new PingPong(pair.one, pair.other, true);
    PingPong other = new PingPong(pair.other, pair.one, false);
    fabric.run(1, other::begin);
    fabric.run(0, one::begin);
    long[] threadIds = {fabric.on(0, () -> Thread.currentThread().threadId()),
      fabric.on(1, () -> Thread.currentThread().threadId())};
    long least = Long.MAX_VALUE;
    for (int look = 0; look < LOOKS && least > 0; look++) {
      long before = allocated(threads, threadIds);
      assertThat(one.rounds(ROUNDS).join()).as("failures").isZero();
      least = Math.min(least, (allocated(threads, threadIds) - before) / ROUNDS);
    }
    fabric.run(0, () -> one.stop = true);
    fabric.run(1, () -> other.stop = true);
    assertThat(one.failed + other.failed).isZero();
    assertThat(least).as("bytes that both loops allocate for a round of five operations").isZero();
  }

  private static long allocated(ThreadMXBean threads, long[] ids) {
    long sum = 0;
    for (long id : ids) {
      sum += threads.getThreadAllocatedBytes(id);
    }
    return sum;
  }
}
