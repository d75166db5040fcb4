package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Between two processes: every operation, what keys do not permit, and the death of the other one at any point, after which nothing is left. */
class ShmProcessTest extends BetweenProcesses {
  private static final int KILLS = Integer.getInteger("remora.shm.kills", 6);

  private long address(int offer) {
    return end.offered(offer);
  }

  private int key(int offer) {
    return (int) end.offered(offer + 8);
  }

  @Test
  void anAnswerShowsAfterTheEndOfWhatItAnswers() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      for (int i = 0; i < 3000; i++) {
        assertThat(end.ask(PeerProcess.ECHO, i, 6).get(JAVA_LONG, 8)).isEqualTo(i);
      }
    }
  }

  @Test
  void everyOperationOfAReliableConnection() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      // Messages, short ones and with immediate data.
      assertThat(end.ask(PeerProcess.ECHO, 5, 6).get(JAVA_LONG, 8)).isEqualTo(5);
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(1).piece(end.region, 0, 64)));
      end.post(new SendRequest().id(2).piece(end.region, 600 << 10, 32).sendWithImmediate(41));
      end.ok(2);
      assertThat(end.ok(1).immediate()).isEqualTo(42);

      // Read all of it, write all of it.
      end.post(new SendRequest().id(3).piece(end.region, 0, 500_000).read(address(0), key(0)));
      assertThat(end.ok(3).length()).isEqualTo(500_000);
      for (long at = 0; at < 500_000; at += 8) {
        assertThat(end.memory.get(JAVA_LONG, at)).isEqualTo(at);
      }
      long sum = 0;
      for (long at = 0; at < 400_000; at += 8) {
        end.memory.set(JAVA_LONG, at, at * 31);
        sum += at * 31;
      }
      end.post(new SendRequest().id(4).piece(end.region, 0, 400_000).write(address(0) + 8000, key(0)));
      end.ok(4);
      assertThat(end.ask(PeerProcess.SUM, 8000, 400_000).get(JAVA_LONG, 8)).isEqualTo(sum);

      // Atomics.
      end.memory.set(JAVA_LONG, 0, 100);
      end.post(new SendRequest().id(5).piece(end.region, 0, 8).write(address(0) + 64, key(0)));
      end.post(new SendRequest().id(6).piece(end.region, 8, 8).fetchAndAdd(address(0) + 64, key(0), 11));
      end.post(new SendRequest().id(7).piece(end.region, 16, 8).compareAndSwap(address(0) + 64, key(0), 111, -1));
      end.post(new SendRequest().id(8).piece(end.region, 24, 8).compareAndSwap(address(0) + 64, key(0), 111, -2));
      for (int i = 5; i <= 8; i++) {
        end.ok(i);
      }
      assertThat(end.memory.get(JAVA_LONG, 8)).isEqualTo(100);
      assertThat(end.memory.get(JAVA_LONG, 16)).isEqualTo(111);
      assertThat(end.memory.get(JAVA_LONG, 24)).isEqualTo(-1);
      assertThat(end.ask(PeerProcess.SUM, 64, 8).get(JAVA_LONG, 8)).isEqualTo(-1);

      // The other process writes here.
      end.ask(PeerProcess.WRITE_BACK, end.region.address() + 800_000, end.region.remoteKey());
      assertThat(end.memory.get(JAVA_LONG, 800_000)).isEqualTo(4711);

      // A write with immediate data takes a receive, and is answered with what came.
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(9).piece(end.region, 0, 64)));
      end.post(new SendRequest().id(10).piece(end.region, 0, 3000).writeWithImmediate(address(0), key(0), 7));
      end.ok(10);
      assertThat(end.ok(9).immediate()).isEqualTo(8);
      assertThat(end.memory.get(JAVA_LONG, 24)).as("the length that it has seen").isEqualTo(3000);

      // A window: within it, then shut by a message.
      int window = (int) end.ask(PeerProcess.BIND, 4096, 4096).get(JAVA_LONG, 8);
      end.post(new SendRequest().id(11).piece(end.region, 0, 4096).read(address(0) + 4096, window));
      end.ok(11);
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(12).piece(end.region, 512 << 10, 64)));
      end.post(new SendRequest().id(13).piece(end.region, 600 << 10, 32).sendWithInvalidate(window));
      end.ok(13);
      end.ok(12);
      end.post(new SendRequest().id(14).piece(end.region, 0, 8).read(address(0) + 4096, window));
      assertThat(end.next().status()).isEqualTo(WorkStatus.REMOTE_ACCESS_ERROR);
      end.await("the error state", () -> end.queuePair().state() == QueuePairState.ERROR);
    }
  }

  @Test
  void requestBehindAnInvalidationDoesNotUseTheKey() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      int window = (int) end.ask(PeerProcess.BIND, 4096, 4096).get(JAVA_LONG, 8);
      end.post(new SendRequest().id(1).piece(end.region, 0, 8).read(address(0) + 4096, window));
      end.ok(1);
      end.run(() -> {
        end.queuePair().postSend(new SendRequest().id(2).piece(end.region, 600 << 10, 32).sendWithInvalidate(window));
        end.queuePair().postSend(new SendRequest().id(3).piece(end.region, 0, 8).read(address(0) + 4096, window));
      });
      end.ok(2);
      assertThat(end.next().status()).isEqualTo(WorkStatus.REMOTE_ACCESS_ERROR);
    }
  }

  @Test
  void messagesWakeALoopThatSleeps() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      for (int i = 0; i < 50; i++) {
        int round = i;
        end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(round).piece(end.region, 0, 64)));
        end.post(new SendRequest().id(1000).signalled(false).piece(end.region, 600 << 10, 32));
        end.sleepUntilNotified();
        end.ok(i);
      }
    }
  }

  @Test
  void messagesLongerThanTheRing() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      // Too long for its receive: said to both, after what went before.
      end.post(new SendRequest().id(1).piece(end.region, 0, 500_000));
      assertThat(end.next().status()).isEqualTo(WorkStatus.REMOTE_INVALID_REQUEST);
      end.await("the end", () -> end.ended != null);
    }
  }

  @Test
  void unreliableConnection() {
    try (OtherProcess other = OtherProcess.start("serve", "UC")) {
      end.connect(other.port(), QueuePairType.UC);
      assertThat(end.ask(PeerProcess.ECHO, 9, 0).get(JAVA_LONG, 8)).isEqualTo(9);
      end.memory.set(JAVA_LONG, 0, 123);
      end.post(new SendRequest().id(1).piece(end.region, 0, 8).write(address(0), key(0)));
      end.ok(1);
      assertThat(end.ask(PeerProcess.SUM, 0, 8).get(JAVA_LONG, 8)).isEqualTo(123);
      // What is refused is lost, and nothing more.
      end.post(new SendRequest().id(2).piece(end.region, 0, 8).write(address(0), key(0) ^ 0x5500));
      end.ok(2);
      assertThat(end.ask(PeerProcess.SUM, 0, 8).get(JAVA_LONG, 8)).isEqualTo(123);
      // With the data goes the message behind it: else there would be an answer before that to the next question.
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(5).piece(end.region, 0, 64)));
      end.post(new SendRequest().id(3).piece(end.region, 0, 8).writeWithImmediate(address(0), key(0) ^ 0x5500, 1));
      end.ok(3);
      end.post(new SendRequest().id(4).piece(end.region, 600 << 10, 32).sendWithImmediate(10));
      end.ok(4);
      assertThat(end.ok(5).immediate()).isEqualTo(11);
    }
  }

  @Test
  void whatKeysDoNotPermit() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      int port = other.port();
      end.connect(port, QueuePairType.RC);
      long before = end.ask(PeerProcess.SUM, 0, PeerProcess.MEMORY_BYTES).get(JAVA_LONG, 8);
      long all = address(0);
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all, key(0) ^ 1));
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all, key(0) ^ 0x10000));
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all + PeerProcess.MEMORY_BYTES - 7, key(0)));
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all - 1, key(0)));
      refused(port, new SendRequest().piece(end.region, 0, 8).write(-4, key(0)));
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all, key(PeerProcess.OFFER_READ_ONLY)));
      refused(port, new SendRequest().piece(end.region, 0, 8).fetchAndAdd(all, key(PeerProcess.OFFER_READ_ONLY), 1));
      refused(port, new SendRequest().piece(end.region, 0, 8).read(all + 4096, key(PeerProcess.OFFER_CLOSABLE)));
      int window = (int) end.ask(PeerProcess.BIND, 4096, 4096).get(JAVA_LONG, 8);
      refused(port, new SendRequest().piece(end.region, 0, 8).read(all + 8192, window));
      // The window went with the connection that bound it.
      refused(port, new SendRequest().piece(end.region, 0, 8).read(all + 4096, window));
      end.ask(PeerProcess.CLOSE_REGION, 0, 0);
      refused(port, new SendRequest().piece(end.region, 0, 8).write(all, key(PeerProcess.OFFER_CLOSABLE)));
      assertThat(end.ask(PeerProcess.SUM, 0, PeerProcess.MEMORY_BYTES).get(JAVA_LONG, 8)).isEqualTo(before);
    }
  }

  /** The connection fails, and another one can be made. */
  private void refused(int port, SendRequest request) {
    end.run(() -> end.memory.set(JAVA_LONG, 0, 0x5555));
    end.post(request.id(1));
    end.post(new SendRequest().id(2).piece(end.region, 0, 8));
    assertThat(end.next().status()).isEqualTo(WorkStatus.REMOTE_ACCESS_ERROR);
    assertThat(end.next().status()).isEqualTo(WorkStatus.FLUSH_ERROR);
    end.await("the end", () -> end.ended != null);
    end.hangUp();
    end.connect(port, QueuePairType.RC);
  }

  @Test
  void deathOfTheProcessThatServes() {
    long seed = Long.getLong("remora.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int kill = 0; kill < KILLS; kill++) {
      try (OtherProcess other = OtherProcess.start("serve", "RC")) {
        end.connect(other.port(), QueuePairType.RC);
        int before = random.nextInt(400);
        int posted = 0;
        for (; posted < before + 200; posted++) {
          SendRequest request = request(random, posted);
          if (posted == before) {
            other.kill();
          }
          if (end.on(() -> end.queuePair().postSend(request)) != Status.OK) {
            break;
          }
          if (posted % 8 == 7) {
            end.run(end::collect);
          }
        }
        end.await("the end", () -> end.ended != null && end.queuePair().state() == QueuePairState.ERROR);
        assertThat(end.ended).as("seed %d: %s", seed, end.endText).isEqualTo(Status.DISCONNECTED);
        end.run(end::collect);
        assertEndsInOrder(posted, seed);
        end.hangUp();
      }
    }
  }

  private SendRequest request(Random random, int number) {
    SendRequest request = new SendRequest().id(number).piece(end.region, 0, 8 + random.nextInt(300_000));
    return switch (random.nextInt(4)) {
      case 0 -> request.write(address(0), key(0));
      case 1 -> request.read(address(0), key(0));
      case 2 -> request.piece(end.region, 0, 8).fetchAndAdd(address(0), key(0), 1);
      default -> request.piece(end.region, 0, PeerProcess.MESSAGE_BYTES).send();
    };
  }

  /** All that was posted has ended, in order: successes, then failures. */
  private void assertEndsInOrder(int posted, long seed) {
    end.run(() -> {
      assertThat(end.arrived).as("seed %d", seed).hasSize(posted);
      boolean failed = false;
      int next = 0;
      for (ThisEnd.Completion completion : end.arrived) {
        assertThat(completion.id()).isEqualTo(next++);
        failed |= completion.status() != WorkStatus.SUCCESS;
        assertThat(failed).isEqualTo(completion.status() != WorkStatus.SUCCESS);
      }
    });
  }

  @Test
  void deathOfTheProcessThatWritesHere() {
    long seed = Long.getLong("remora.seed", System.nanoTime());
    Random random = new Random(seed);
    CmListener listener = end.listen();
    try {
      for (int kill = 0; kill < KILLS; kill++) {
        try (OtherProcess other = OtherProcess.start("hammer", String.valueOf(listener.localAddress().getPort()))) {
          end.await("the connection", () -> end.established != null);
          int messages = random.nextInt(300);
          for (int i = 0; i < messages; i++) {
            long slot = end.next().id();
            end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(slot).piece(end.region, slot * 64, 64)));
          }
          other.kill();
        }
        end.await("the end", () -> end.ended != null && end.queuePair().state() == QueuePairState.ERROR);
        assertThat(end.ended).as("seed %d: %s", seed, end.endText).isEqualTo(Status.DISCONNECTED);
        end.hangUp();
      }
    } finally {
      end.run(listener::close);
    }
  }

  @Test
  void theOtherProcessHearsWhatWasRefused() {
    try (OtherProcess other = OtherProcess.start("serve", "RC")) {
      end.connect(other.port(), QueuePairType.RC);
      // It is asked to write here with a key that does not hold.
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(1).piece(end.region, 0, 64)));
      end.run(() -> {
        end.memory.set(JAVA_LONG, 600 << 10, PeerProcess.WRITE_BACK);
        end.memory.set(JAVA_LONG, (600 << 10) + 8, end.region.address());
        end.memory.set(JAVA_LONG, (600 << 10) + 16, end.region.remoteKey() ^ 3);
      });
      end.post(new SendRequest().id(2).signalled(false).piece(end.region, 600 << 10, 32));
      assertThat(end.next().status()).isEqualTo(WorkStatus.FLUSH_ERROR);
      end.await("the event", () -> !end.events.isEmpty());
      assertThat(end.events.getFirst().kind()).isEqualTo(AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR);
      assertThat(end.queuePair().state()).isEqualTo(QueuePairState.ERROR);
    }
  }
}
