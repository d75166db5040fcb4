package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.sim.Simulation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Work in memory that no descriptor tells of, on both back ends. */
class PollableTest {
  /** Finds work that another thread has left; armed, says so. */
  private static final class Mailbox implements Pollable {
    final AtomicBoolean full = new AtomicBoolean();
    final CompletableFuture<Void> armed = new CompletableFuture<>();
    final CompletableFuture<Void> taken = new CompletableFuture<>();

    @Override
    public int poll() {
      if (!full.getAndSet(false)) {
        return 0;
      }
      taken.complete(null);
      return 1;
    }

    @Override
    public boolean arm() {
      armed.complete(null);
      return !full.get();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void loopAsksEachTurnAndArmsBeforeItSleeps(Loops.Backend backend) throws Exception {
    try (Loops loops = Loops.start(new Loops.Config("poll", 1, backend, 1000, java.util.List.of()))) {
      Loop loop = loops.get(0);
      Mailbox mailbox = new Mailbox();
      loop.execute(() -> loop.add(mailbox));
      mailbox.armed.get(10, TimeUnit.SECONDS);
      mailbox.full.set(true);
      loop.execute(() -> {});
      mailbox.taken.get(10, TimeUnit.SECONDS);

      CompletableFuture<Boolean> asked = new CompletableFuture<>();
      loop.execute(() -> {
        loop.remove(mailbox);
        mailbox.full.set(true);
        loop.execute(() -> loop.execute(() -> asked.complete(!mailbox.full.get())));
      });
      assertThat(asked.get(10, TimeUnit.SECONDS)).as("asked after it was removed").isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void whatFindsWorkWhenArmedIsAskedAgain(Loops.Backend backend) throws Exception {
    try (Loops loops = Loops.start(new Loops.Config("poll", 1, backend, 0, java.util.List.of()))) {
      Loop loop = loops.get(0);
      CompletableFuture<Void> second = new CompletableFuture<>();
      loop.execute(() -> loop.add(new Pollable() {
        private int work = 2;
        private boolean first = true;

        @Override
        public int poll() {
          if (first) {
            first = false;
            return 0;
          }
          if (work == 2) {
            work--;
            second.complete(null);
          }
          return 0;
        }

        @Override
        public boolean arm() {
          return work < 2;
        }
      }));
      second.get(10, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void socketsAreHeardWhileMemoryAlwaysHasWork(Loops.Backend backend) throws Exception {
    try (Loops loops = Loops.start(new Loops.Config("poll", 1, backend, 0, java.util.List.of()))) {
      Loop loop = loops.get(0);
      CompletableFuture<Void> connected = new CompletableFuture<>();
      loop.execute(() -> {
        loop.add(new Pollable() {
          @Override
          public int poll() {
            return 1;
          }

          @Override
          public boolean arm() {
            return false;
          }
        });
        StreamListener listener = loop.net().listen(Addresses.parse("127.0.0.1:0"), StreamListener.Accepted::close);
        loop.net().connect(listener.localAddress(), new StreamSocket.Handler() {
          @Override
          public void onConnected() {
            connected.complete(null);
          }

          @Override
          public void onReadable() {}

          @Override
          public void onWritable() {}

          @Override
          public void onClosed(Status reason) {}
        });
      });
      connected.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void simulatedLoopRefuses() {
    Simulation simulation = new Simulation(1);
    Loop loop = simulation.machine("a").start(1).getFirst();
    assertThatThrownBy(() -> loop.add(new Mailbox())).isInstanceOf(RemoraException.class)
        .hasMessageContaining("simulated");
    assertThatThrownBy(() -> loop.watch(0, () -> {})).isInstanceOf(RemoraException.class)
        .hasMessageContaining("simulated");
  }
}
