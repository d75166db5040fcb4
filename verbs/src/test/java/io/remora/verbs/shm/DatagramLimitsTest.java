package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** To how many one datagram queue pair sends at once, and from how many it hears; what it costs to send in turn. */
class DatagramLimitsTest {
  private static final int MESSAGE_BYTES = 16;
  /** Fewer than a socket takes before somebody receives. */
  private static final int SENDS_PER_LOOK = 8;
  private static final int LOOKS = 5000;
  /** Fewer than may wait to be accepted. */
  private static final int CONNECTIONS_AT_ONCE = 256;
  private static final int MORE = 3;

  private String held = "";
  @SuppressWarnings("NullAway.Init")
  private Loops loops;
  @SuppressWarnings("NullAway.Init")
  private ThisEnd end;

  @BeforeEach
  void open() {
    loops = Loops.start(Loops.Config.of("limits", 2));
    held = ThisEnd.held();
    end = new ThisEnd(loops);
  }

  @AfterEach
  void close() {
    end.close();
    assertThat(ThisEnd.held()).as("what this process holds").isEqualTo(held);
    loops.close();
  }

  /** What there is by the name of a datagram queue pair. Belongs to its loop. */
  private static final class Receiver {
    final int number;
    private final Loop loop;
    private final LocalListener listener;
    private final List<LocalSocket> sockets = new ArrayList<>();
    private final MemorySegment scratch = Arena.ofAuto().allocate(64, 8);
    int received;
    int ended;

    Receiver(Loop loop, int number) {
      this.loop = loop;
      this.number = number;
      this.listener = loop.local().listen(ShmNames.datagrams(loop.local(), number), this::accepted);
    }

    private void accepted(LocalListener.Accepted connection) {
      sockets.add(connection.attach(loop, new LocalSocket.Handler() {
        private final int index = sockets.size();

        @Override
        public void onReadable() {
          drain(index);
        }

        @Override
        public void onClosed(Status reason) {}
      }));
    }

    void drain(int index) {
      LocalSocket socket = sockets.get(index);
      int length = socket.receive(scratch, 0, 64);
      for (; length > 0; length = socket.receive(scratch, 0, 64)) {
        received++;
      }
      if (length < 0) {
        ended++;
        socket.close();
      }
    }

    void close() {
      listener.close();
      sockets.forEach(LocalSocket::close);
    }
  }

  private List<Receiver> receivers(int count) {
    int first = (int) (ProcessHandle.current().pid() & 0xffff) << 4;
    return end.on(() -> {
      List<Receiver> made = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        made.add(new Receiver(end.loop, first + i));
      }
      return made;
    });
  }

  private void send(DatagramWays ways, Receiver to) {
    assertThat(end.<Integer>on(() -> ways.send(to.number, end.memory, MESSAGE_BYTES))).isEqualTo(MESSAGE_BYTES);
  }

  @Test
  void theWayThatWasUsedLeastRecentlyGoesForAnother() {
    List<Receiver> to = receivers(4);
    DatagramWays ways = new DatagramWays(end.loop.local(), 3);
    int[] order = {0, 1, 2, 0, 3, 2, 0, 1};
    for (int index : order) {
      send(ways, to.get(index));
    }
    end.await("all", () -> to.stream().mapToInt(receiver -> receiver.received).sum() == order.length);
    end.await("the ends", () -> to.stream().mapToInt(receiver -> receiver.ended).sum() == 2);
    assertThat(to).as("connections").extracting(receiver -> receiver.sockets.size()).containsExactly(1, 2, 1, 1);
    assertThat(to).as("of them ended").extracting(receiver -> receiver.ended).containsExactly(0, 1, 0, 1);
    assertThat(to).as("datagrams").extracting(receiver -> receiver.received).containsExactly(3, 2, 2, 1);
    end.run(() -> {
      ways.close();
      to.forEach(Receiver::close);
    });
  }

  @Test
  void sendingToOneAndTheOtherInTurnAllocatesNothing() {
    List<Receiver> to = receivers(2);
    DatagramWays ways = new DatagramWays(end.loop.local(), 3);
    to.forEach(receiver -> send(ways, receiver));
    end.await("both", () -> to.stream().allMatch(receiver -> receiver.received == 1));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = end.on(() -> {
      long min = Long.MAX_VALUE;
      for (int look = 0; look < LOOKS; look++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < SENDS_PER_LOOK; i++) {
          ways.send(to.get(i & 1).number, end.memory, MESSAGE_BYTES);
        }
        min = Math.min(min, threads.getCurrentThreadAllocatedBytes() - before);
        to.forEach(receiver -> receiver.drain(0));
      }
      return min;
    });
    assertThat(to).extracting(receiver -> receiver.received).containsOnly(1 + LOOKS * SENDS_PER_LOOK / 2);
    assertThat(least).as("bytes allocated for %d datagrams", SENDS_PER_LOOK).isZero();
    end.run(() -> {
      ways.close();
      to.forEach(Receiver::close);
    });
  }

  /** One who has connected to a datagram queue pair. Belongs to its loop. */
  private static final class Sender implements LocalSocket.Handler {
    final LocalSocket socket;
    boolean ended;

    Sender(Loop loop, int number) {
      socket = loop.local().connect(ShmNames.datagrams(loop.local(), number), this);
    }

    @Override
    public void onReadable() {
      // Nothing is ever said to who sends: this is the end.
      ended = true;
      socket.close();
    }

    @Override
    public void onClosed(Status reason) {
      throw new AssertionError(reason);
    }
  }

  private DatagramQueuePair queuePair() {
    InetSocketAddress anybody = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
    CmId id = end.on(() -> end.context.connectionManager().resolve(anybody, QueuePairType.UD, end));
    end.id = id;
    end.await("the way", () -> end.resolved);
    end.run(() -> end.queuePair = id.createQueuePair(end.domain,
        QueuePairConfig.rc(end.completions, 16, 16).withType(QueuePairType.UD)));
    return (DatagramQueuePair) end.queuePair();
  }

  @Test
  void moreSendersThanThereMayBeAreTurnedAway() {
    UnixOperatingSystemMXBean system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long needed = 2L * DatagramQueuePair.MAX_SENDERS + 1000;
    Assumptions.assumeTrue(system.getMaxFileDescriptorCount() >= needed, "this needs " + needed + " descriptors");
    DatagramQueuePair queuePair = queuePair();
    int number = queuePair.number();
    Loop loop = loops.get(1);
    ThisEnd other = new ThisEnd(loop);
    List<Sender> senders = new ArrayList<>();
    while (senders.size() < DatagramQueuePair.MAX_SENDERS) {
      other.run(() -> connect(senders, loop, number, CONNECTIONS_AT_ONCE));
      end.await("those", () -> queuePair.senders() == senders.size());
    }
    other.run(() -> connect(senders, loop, number, MORE));
    other.await("the ends", () -> senders.stream().filter(sender -> sender.ended).count() == MORE);
    assertThat(senders.subList(DatagramQueuePair.MAX_SENDERS, senders.size())).as("who came last")
        .allMatch(sender -> sender.ended);

    other.run(() -> senders.getFirst().socket.close());
    end.await("a place", () -> queuePair.senders() == DatagramQueuePair.MAX_SENDERS - 1);
    other.run(() -> connect(senders, loop, number, 1));
    end.await("that one", () -> queuePair.senders() == DatagramQueuePair.MAX_SENDERS);
    other.run(() -> connect(senders, loop, number, 1));
    other.await("the end of the next", () -> senders.getLast().ended);
    other.run(() -> {
      assertThat(senders.stream().filter(sender -> sender.ended).count()).isEqualTo(MORE + 1);
      senders.forEach(sender -> sender.socket.close());
    });
    end.await("the ends", () -> queuePair.senders() == 0);
    other.close();
  }

  private static void connect(List<Sender> senders, Loop loop, int number, int count) {
    for (int i = 0; i < count; i++) {
      senders.add(new Sender(loop, number));
    }
  }
}
