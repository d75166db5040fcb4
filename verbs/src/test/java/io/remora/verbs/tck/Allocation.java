package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Loop;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.management.ManagementFactory;

/** Measures what loops allocate for sends, receives, writes and reads, once all is warm. */
final class Allocation {
  private static final int ROUNDS = 20_000;

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
    for (int attempt = 0; attempt < 8 && least > 0; attempt++) {
      int until = one.received + ROUNDS;
      long before = threads.getThreadAllocatedBytes(threadIds[0]) + threads.getThreadAllocatedBytes(threadIds[1]);
      while (one.received < until && one.failed == 0 && other.failed == 0) {
        Thread.onSpinWait();
      }
      long after = threads.getThreadAllocatedBytes(threadIds[0]) + threads.getThreadAllocatedBytes(threadIds[1]);
      least = Math.min(least, (after - before) / ROUNDS);
    }
    fabric.run(0, () -> one.stop = true);
    fabric.run(1, () -> other.stop = true);
    assertThat(one.failed + other.failed).isZero();
    assertThat(least).as("bytes that both loops allocate for a round of five operations").isZero();
  }
}
