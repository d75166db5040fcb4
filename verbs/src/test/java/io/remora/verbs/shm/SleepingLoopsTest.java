package io.remora.verbs.shm;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loops;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Loops that sleep whenever they have nothing to do wake each other by their connections' doorbells, and by nothing else: nobody runs a task on them meanwhile. */
class SleepingLoopsTest {
  private static final int ROUNDS = 2000;
  private static final int CONNECTIONS = 100;
  /** Of one end of a connection, when it has the control memory: that, its socket, its doorbell, the peer's. Without: one less. */
  private static final int DESCRIPTORS_OF_BOTH_ENDS = 4 + 3;

  private String held = "";
  @SuppressWarnings("NullAway.Init")
  private Loops loops;
  @SuppressWarnings("NullAway.Init")
  private ThisEnd a;
  @SuppressWarnings("NullAway.Init")
  private ThisEnd b;
  @SuppressWarnings("NullAway.Init")
  private CmListener listener;

  private void open(Loops.Backend backend) {
    loops = Loops.start(new Loops.Config("sleeps", 2, backend, 0, List.of()));
    held = ThisEnd.held();
    a = new ThisEnd(loops.get(0));
    b = new ThisEnd(loops.get(1));
    listener = b.listen();
  }

  @AfterEach
  void close() {
    b.run(listener::close);
    a.close();
    b.close();
    assertThat(ThisEnd.held()).as("what this process holds").isEqualTo(held);
    loops.close();
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void messagesGoToAndFroByThemselves(Loops.Backend backend) throws Exception {
    open(backend);
    a.connect(listener.localAddress().getPort(), QueuePairType.RC);
    b.await("the other end", () -> b.established != null);
    CompletableFuture<Integer> last = new CompletableFuture<>();
    // Its last answer is the only thing that is waited for.
    b.run(() -> answer(b, Integer.MAX_VALUE, new CompletableFuture<>()));
    a.run(() -> {
      a.queuePair().postReceive(new ReceiveRequest().id(1).piece(a.region, 0, 64));
      answer(a, ROUNDS, last);
      send(a);
    });
    assertThat(last.get(60, TimeUnit.SECONDS)).isEqualTo(ROUNDS);
    a.hangUp();
    b.hangUp();
  }

  /** Sends a message for each that comes, until there were enough. On the loop. */
  private static void answer(ThisEnd end, int enough, CompletableFuture<Integer> last) {
    int[] rounds = new int[1];
    end.whenNotified = () -> {
      end.completions.requestNotify(false);
      end.collect();
      for (ThisEnd.Completion done = end.arrived.poll(); done != null; done = end.arrived.poll()) {
        end.queuePair().postReceive(new ReceiveRequest().id(done.id()).piece(end.region, 0, 64));
        if (++rounds[0] < enough) {
          send(end);
        } else {
          last.complete(rounds[0]);
        }
      }
    };
    end.completions.requestNotify(false);
  }

  private static void send(ThisEnd end) {
    end.queuePair().postSend(new SendRequest().id(1000).signalled(false).piece(end.region, 4096, 32));
  }

  @Test
  void connectionsLeaveNoDescriptorBehind() {
    open(Loops.Backend.AUTO);
    int port = listener.localAddress().getPort();
    List<CmId> ids = new ArrayList<>();
    List<QueuePair> queuePairs = new ArrayList<>();
    int before = descriptors();
    for (int i = 0; i < CONNECTIONS; i++) {
      a.connect(port, QueuePairType.RC);
      b.await("the other end", () -> b.established != null);
      for (ThisEnd end : List.of(a, b)) {
        end.run(() -> {
          ids.add(Objects.requireNonNull(end.id));
          queuePairs.add(end.queuePair());
          end.id = null;
          end.queuePair = null;
          end.established = null;
          end.resolved = false;
        });
      }
    }
    assertThat(descriptors() - before).as("descriptors of %d connections", CONNECTIONS)
        .isEqualTo(CONNECTIONS * DESCRIPTORS_OF_BOTH_ENDS);
    // Either end may be the first.
    for (int i = 0; i < CONNECTIONS; i++) {
      int ends = 2 * i;
      ThisEnd first = i % 2 == 0 ? a : b;
      ThisEnd second = i % 2 == 0 ? b : a;
      close(first, queuePairs.get(ends + i % 2), ids.get(ends + i % 2));
      close(second, queuePairs.get(ends + 1 - i % 2), ids.get(ends + 1 - i % 2));
    }
    assertThat(descriptors()).isEqualTo(before);
  }

  private static void close(ThisEnd end, QueuePair queuePair, CmId id) {
    end.run(() -> {
      queuePair.close();
      id.close();
    });
  }

  private static int descriptors() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return (int) open.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
