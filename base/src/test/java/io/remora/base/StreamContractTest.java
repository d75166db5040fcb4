package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every stream socket does. */
class StreamContractTest {
  private static final InetSocketAddress LOOPBACK = Addresses.parse("127.0.0.1:0");
  private static final int BYTES = 1 << 18;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  /** Writes bytes that follow from their position, then ends its stream; reads and checks until the other's ends. */
  private static class Side implements StreamSocket.Handler {
    final long size;
    final MemorySegment memory = Arena.ofAuto().allocate(1 << 14);
    final SplittableRandom random = new SplittableRandom(3);
    final CompletableFuture<Status> over = new CompletableFuture<>();
    @Nullable
    StreamSocket socket;
    boolean connected;
    long sent;
    long got;
    int callsAfterEnd;

    Side(long size) {
      this.size = size;
    }

    StreamSocket socket() {
      return Objects.requireNonNull(socket);
    }

    @Override
    public void onConnected() {
      connected = true;
      onWritable();
    }

    @Override
    public void onWritable() {
      callsAfterEnd += over.isDone() ? 1 : 0;
      while (sent < size) {
        long length = Math.min(size - sent, 1 + random.nextLong(memory.byteSize()));
        for (long i = 0; i < length; i++) {
          memory.set(ValueLayout.JAVA_BYTE, i, value(sent + i));
        }
        Sgl list = new Sgl();
        list.add(memory, 0, length / 2);
        list.add(memory, length / 2, length - length / 2);
        long taken = socket().write(list);
        assertThat(taken).isLessThanOrEqualTo(length);
        sent += Math.max(0, taken);
        if (taken < length) {
          return;
        }
      }
      written();
    }

    void written() {
      socket().shutdownOutput();
    }

    @Override
    public void onReadable() {
      callsAfterEnd += over.isDone() ? 1 : 0;
      while (true) {
        long length = socket().read(memory, 0, 1 + random.nextLong(memory.byteSize()));
        if (length == StreamSocket.CLOSED) {
          over.complete(socket().closeReason());
          return;
        }
        if (length == 0) {
          return;
        }
        for (long i = 0; i < length; i++) {
          if (memory.get(ValueLayout.JAVA_BYTE, i) != value(got + i)) {
            throw new AssertionError("byte " + (got + i) + " is wrong");
          }
        }
        got += length;
      }
    }

    @Override
    public void onClosed(Status reason) {
      over.complete(reason);
    }

    private static byte value(long position) {
      return (byte) (position * 7 + (position >> 9));
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void bothDirectionsEndInOrderAfterTheirLastByte(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Side called = new Side(BYTES);
      Side caller = new Side(BYTES / 2);
      connect(ground, caller, called);
      assertThat(ground.await(called.over)).isEqualTo(Status.OK);
      assertThat(ground.await(caller.over)).isEqualTo(Status.OK);
      assertThat(called.got).isEqualTo(BYTES / 2);
      assertThat(caller.got).isEqualTo(BYTES);
      assertThat(caller.connected).isTrue();
      assertThat(called.connected).as("accepted sockets are not told that they are connected").isFalse();
      assertThat(ground.<InetSocketAddress>call(ground.loop(0), caller.socket()::localAddress))
          .isEqualTo(called.socket().remoteAddress());
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void whatWasWrittenBeforeCloseArrives(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Side called = new Side(0) {
        @Override
        void written() {
          // Says nothing, so that nothing lies unread at the caller when that closes.
        }
      };
      Side caller = new Side(BYTES) {
        @Override
        void written() {
          socket().close();
          assertThat(socket().write(new Sgl())).isEqualTo(StreamSocket.CLOSED);
          assertThat(socket().read(memory, 0, 1)).isEqualTo(StreamSocket.CLOSED);
          over.complete(Status.OK);
        }
      };
      connect(ground, caller, called);
      assertThat(ground.await(called.over)).isEqualTo(Status.OK);
      assertThat(called.got).isEqualTo(BYTES);
      assertThat(caller.callsAfterEnd).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void resetIsHeardAtTheOtherEnd(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Side called = new Side(0) {
        @Override
        void written() {}
      };
      Side caller = new Side(100) {
        @Override
        void written() {
          socket().reset();
          socket().reset();
          socket().close();
        }
      };
      connect(ground, caller, called);
      assertThat(ground.await(called.over)).isEqualTo(Status.DISCONNECTED);
      assertThat(ground.call(ground.loop(1), called.socket()::closeReason)).isEqualTo(Status.DISCONNECTED);
      assertThat(ground.call(ground.loop(1), () -> called.socket().write(new Sgl()))).isEqualTo(StreamSocket.CLOSED);
      assertThat(caller.over).as("the end that resets is not told").isNotDone();
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void addressesInUseAndPortsNobodyListensAt(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      Side caller = new Side(1);
      ground.run(loop, () -> {
        StreamListener listener = loop.net().listen(LOOPBACK, StreamListener.Accepted::close);
        InetSocketAddress address = listener.localAddress();
        assertStatus(Status.EXISTS, () -> loop.net().listen(address, StreamListener.Accepted::close));
        assertStatus(Status.INVALID,
            () -> loop.net().listen(Addresses.parse("192.0.2.1:4420"), StreamListener.Accepted::close));
        listener.close();
        listener.close();
        caller.socket = loop.net().connect(address, caller);
        assertThat(caller.over).as("told inside connect").isNotDone();
      });
      assertThat(ground.await(caller.over)).isEqualTo(Status.DISCONNECTED);
      assertThat(caller.connected).isFalse();
      ground.run(loop, caller.socket()::close);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void acceptedConnectionThatIsClosedEnds(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      Side caller = new Side(0) {
        @Override
        void written() {}
      };
      ground.run(loop, () -> {
        StreamListener listener = loop.net().listen(LOOPBACK, StreamListener.Accepted::close);
        caller.socket = loop.net().connect(listener.localAddress(), caller);
      });
      assertThat(ground.await(caller.over)).isIn(Status.OK, Status.DISCONNECTED);
    }
  }

  /** Connects on loop 0, accepts there, and attaches on loop 1. */
  private static void connect(Ground ground, Side caller, Side called) {
    Loop here = ground.loop(0);
    Loop there = ground.loop(1);
    ground.run(here, () -> {
      StreamListener listener = here.net().listen(LOOPBACK, connection -> there.execute(() -> {
        called.socket = connection.attach(there, called);
        called.onWritable();
      }));
      caller.socket = here.net().connect(listener.localAddress(), caller);
    });
  }

  private static void assertStatus(Status status, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(status));
  }
}
