package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.Ground;
import io.remora.base.Local;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.Simulation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Memory and sockets between processes; both ends are in this one, which is all the same to the kernel. */
class LocalTest {
  private static final String NAME = "remora-test-" + ProcessHandle.current().pid();

  private @Nullable Ground ground;

  /** Keeps what happens. */
  private static final class Recorder implements LocalSocket.Handler {
    final CompletableFuture<Void> connected = new CompletableFuture<>();
    final CompletableFuture<Status> closed = new CompletableFuture<>();
    int readable;

    @Override
    public void onConnected() {
      connected.complete(null);
    }

    @Override
    public void onReadable() {
      readable++;
    }

    @Override
    public void onClosed(Status reason) {
      closed.complete(reason);
    }
  }

  @AfterEach
  void close() {
    if (ground != null) {
      ground.close();
    }
  }

  private Ground lay(Loops.Backend backend) {
    Ground laid = new Ground.Real(backend, Path.of("/tmp"));
    ground = laid;
    return laid;
  }

  private static Local.SharedMemory find(Loop loop, MemorySegment memory) {
    return Objects.requireNonNull(loop.local().find(memory));
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void memoryGoesToTheOtherEndByItsDescriptor(Loops.Backend backend) {
    Ground laid = lay(backend);
    Loop a = laid.loop(0);
    Loop b = laid.loop(1);
    Recorder client = new Recorder();
    Recorder server = new Recorder();
    CompletableFuture<LocalSocket> accepted = new CompletableFuture<>();
    int before = descriptors();
    LocalListener listener = laid.call(b,
        () -> b.local().listen(NAME, connection -> accepted.complete(connection.attach(b, server))));
    LocalSocket from = laid.call(a, () -> a.local().connect(NAME, client));
    laid.await(client.connected);
    LocalSocket to = laid.await(accepted);
    assertThat(to.peerProcess()).isEqualTo(ProcessHandle.current().pid());

    Arena arena = Arena.ofShared();
    MemorySegment memory = laid.call(a, () -> a.local().allocate(arena, 100_000, true));
    memory.set(JAVA_LONG, 8, 4711);
    int descriptor = find(a, memory.asSlice(99_999)).descriptor();
    laid.run(a, () -> {
      MemorySegment text = arena.allocate(16);
      text.set(JAVA_LONG, 0, 1);
      assertThat(from.send(text, 0, 9, new int[] {descriptor, descriptor, descriptor})).isEqualTo(9);
      text.set(JAVA_LONG, 0, 2);
      assertThat(from.send(text, 0, 8)).isEqualTo(8);
    });

    laid.until(b, "a message", () -> server.readable > 0);
    MemorySegment mapped = laid.call(b, () -> {
      MemorySegment into = arena.allocate(64);
      assertThat(to.receive(into, 0, 64)).as("one message at a time").isEqualTo(9);
      MemorySegment map = b.local().map(arena, to.takeDescriptor(), 100_000, true);
      int mine = to.takeDescriptor();
      assertThatThrownBy(() -> b.local().map(arena, mine, 1 << 20, true)).hasMessageContaining("shared memory");
      assertThat(to.receive(into, 0, 64)).isEqualTo(8);
      assertThat(into.get(JAVA_LONG, 0)).isEqualTo(2);
      assertThat(to.takeDescriptor()).isEqualTo(-1);
      assertThat(to.receive(into, 0, 64)).isZero();
      return map;
    });
    assertThat(mapped.get(JAVA_LONG, 8)).isEqualTo(4711);
    mapped.set(JAVA_LONG, 16, 42);
    assertThat(memory.get(JAVA_LONG, 16)).isEqualTo(42);
    assertThat(mapped.address()).isNotEqualTo(memory.address());

    int told = laid.call(b, () -> server.readable);
    laid.run(a, from::close);
    laid.until(b, "the end", () -> server.readable > told);
    assertThat(laid.<Integer>call(b, () -> to.receive(arena.allocate(8), 0, 8))).isEqualTo(LocalSocket.CLOSED);
    assertThat(laid.<Integer>call(b, () -> to.send(memory, 0, 8))).isEqualTo(LocalSocket.CLOSED);
    laid.run(b, to::close);
    laid.run(b, listener::close);
    arena.close();
    assertThat(laid.loop(0).local().find(memory)).isNull();
    assertThat(descriptors()).as("open descriptors").isEqualTo(before);
  }

  @Test
  void memoryForReadingCannotBeWritten() {
    Ground laid = lay(Loops.Backend.AUTO);
    Local local = laid.loop(0).local();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = local.allocate(arena, 4096, false);
      memory.set(JAVA_LONG, 0, 7);
      Libc libc = new Libc();
      int descriptor = find(laid.loop(0), memory).descriptor();
      MemorySegment mapped = local.map(arena, libc.fcntl(descriptor, Abi.F_DUPFD_CLOEXEC, 0), 4096, false);
      assertThat(mapped.get(JAVA_LONG, 0)).isEqualTo(7);
      assertThat(mapped.isReadOnly()).isTrue();
      assertThatThrownBy(() -> local.map(arena, libc.fcntl(descriptor, Abi.F_DUPFD_CLOEXEC, 0), 4096, true))
          .isInstanceOf(RemoraException.class);
      assertThat(libc.ftruncate(descriptor, 0)).as("taking the memory away").isEqualTo(-Errno.EPERM);
      memory.set(JAVA_LONG, 0, 8);
      assertThat(mapped.get(JAVA_LONG, 0)).isEqualTo(8);
    }
  }

  @Test
  void whatCouldShrinkIsNotMapped() {
    Ground laid = lay(Loops.Backend.AUTO);
    Libc libc = new Libc();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment name = arena.allocateFrom("x");
      int unsealed = libc.memfdCreate(name.address(), Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING);
      assertThat(libc.ftruncate(unsealed, 8192)).isZero();
      assertThatThrownBy(() -> laid.loop(0).local().map(arena, unsealed, 4096, true))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.PROTOCOL_ERROR));
      int event = libc.eventfd(0, Abi.EFD_CLOEXEC);
      assertThatThrownBy(() -> laid.loop(0).local().map(arena, event, 4096, true))
          .hasMessageContaining("something else");
    }
  }

  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void connectionMovesToAnotherLoopWithWhatHasCome(Loops.Backend backend) {
    Ground laid = lay(backend);
    Loop a = laid.loop(0);
    Loop b = laid.loop(1);
    Recorder client = new Recorder();
    CompletableFuture<LocalSocket> first = new CompletableFuture<>();
    LocalListener listener = laid.call(b,
        () -> b.local().listen(NAME, connection -> first.complete(connection.attach(b, new Recorder()))));
    LocalSocket from = laid.call(a, () -> a.local().connect(NAME, client));
    laid.await(client.connected);
    LocalSocket old = laid.await(first);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(64);
      laid.run(a, () -> assertThat(from.send(memory, 0, 64)).isEqualTo(64));
      LocalListener.Accepted loose = laid.call(b, old::detach);
      Recorder second = new Recorder();
      LocalSocket moved = laid.call(a, () -> loose.attach(a, second));
      laid.until(a, "what has come", () -> second.readable > 0);
      assertThat(laid.<Integer>call(a, () -> moved.receive(memory, 0, 64))).isEqualTo(64);
      assertThat(laid.<Integer>call(a, () -> moved.receive(memory, 0, 64))).isZero();
      laid.run(a, () -> {
        from.close();
        moved.close();
      });
    }
    laid.run(b, listener::close);
  }

  /** Whoever closes while something comes must still let go of the socket, or the other end waits for ever. */
  @ParameterizedTest
  @EnumSource(value = Loops.Backend.class, names = {"IO_URING", "EPOLL"})
  void closeIsHeardThoughMessagesCome(Loops.Backend backend) {
    Ground laid = lay(backend);
    Loop a = laid.loop(0);
    Loop b = laid.loop(1);
    LocalListener listener = laid.call(b, () -> b.local().listen(NAME, connection -> {
      LocalSocket[] socket = new LocalSocket[1];
      socket[0] = connection.attach(b, new LocalSocket.Handler() {
        @Override
        public void onReadable() {
          socket[0].close();
        }

        @Override
        public void onClosed(Status reason) {}
      });
    }));
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(64);
      for (int round = 0; round < 3000; round++) {
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        LocalSocket[] socket = new LocalSocket[1];
        laid.run(a, () -> socket[0] = a.local().connect(NAME, new LocalSocket.Handler() {
          @Override
          public void onConnected() {
            for (int i = 0; i < 20; i++) {
              socket[0].send(memory, 0, 8);
            }
          }

          @Override
          public void onReadable() {
            if (socket[0].receive(memory, 0, 8) == LocalSocket.CLOSED) {
              socket[0].close();
              ended.complete(true);
            }
          }

          @Override
          public void onClosed(Status reason) {
            ended.completeExceptionally(new AssertionError(reason));
          }
        }));
        assertThat(laid.await(ended)).as("round %d", round).isTrue();
      }
    }
    laid.run(b, listener::close);
  }

  @Test
  void namesAreTakenOrNobodys() {
    Ground laid = lay(Loops.Backend.AUTO);
    Loop loop = laid.loop(0);
    LocalListener listener = laid.call(loop, () -> loop.local().listen(NAME, LocalListener.Accepted::close));
    assertThatThrownBy(() -> laid.call(loop, () -> loop.local().listen(NAME, LocalListener.Accepted::close)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.EXISTS))
        .hasMessageContaining(NAME);
    laid.run(loop, listener::close);
    laid.run(loop, listener::close);
    Recorder client = new Recorder();
    LocalSocket socket = laid.call(loop, () -> loop.local().connect(NAME, client));
    assertThat(laid.await(client.closed)).isEqualTo(Status.NOT_FOUND);
    laid.run(loop, socket::close);
    laid.run(loop, () -> loop.local().listen(NAME, LocalListener.Accepted::close).close());
  }

  @Test
  void memoryOfABufferPoolIsFound() {
    Ground laid = lay(Loops.Backend.AUTO);
    Loop loop = laid.loop(0);
    int before = descriptors();
    laid.run(loop, () -> {
      BufferPool pool = new BufferPool(loop, 1 << 20, 1 << 20);
      List<Buffer> taken = new ArrayList<>();
      BufferPool.Owner owner = pool.owner("test", 1 << 20);
      for (Buffer buffer = pool.take(owner, 4096); buffer != null; buffer = pool.take(owner, 4096)) {
        taken.add(buffer);
      }
      Local.SharedMemory whole = find(loop, taken.get(0).segment());
      for (Buffer buffer : taken) {
        assertThat(loop.local().find(buffer.segment())).isSameAs(whole);
        assertThat(buffer.segment().address() % 4096).isZero();
        buffer.release();
      }
      assertThat(whole.whole().byteSize()).isEqualTo(1 << 20);
      MemorySegment gone = taken.get(0).segment();
      pool.close();
      assertThat(loop.local().find(gone)).isNull();
    });
    assertThat(laid.loop(0).local().find(MemorySegment.ofArray(new byte[8]))).isNull();
    assertThat(descriptors()).isEqualTo(before);
  }

  @Test
  void simulatedLoopRefuses() {
    Loop loop = new Simulation(1).machine("a").start(1).getFirst();
    assertThatThrownBy(loop::local).isInstanceOf(RemoraException.class).hasMessageContaining("simulated");
  }

  private static int descriptors() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return (int) open.count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
