package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What every {@link Net} promises of streams and datagrams. */
@ParameterizedClass
@MethodSource("io.remora.base.Ground#all")
class NetTest {
  /** Where listeners listen; the port is picked. */
  private static final InetSocketAddress ANY = Addresses.parse("127.0.0.1:0");

  private final Arena arena = Arena.ofShared();
  @SuppressWarnings("NullAway.Init")
  private Ground world;
  @SuppressWarnings("NullAway.Init")
  private Loop loop;
  @SuppressWarnings("NullAway.Init")
  private Loop other;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final Ground.Kind kind;

  NetTest(Ground.Kind kind) {
    this.kind = kind;
  }

  /** How much the test of a long stream sends: simulated bytes cost more. */
  private long streamBytes() {
    return kind.name().startsWith("real") ? 100 << 20 : 2 << 20;
  }

  @BeforeEach
  void begin() {
    world = kind.lay().apply(folder);
    loop = world.loop(0);
    other = world.loop(1);
  }

  @AfterEach
  void end() {
    world.close();
    arena.close();
  }

  /** A handler that notes what it hears and does nothing else. */
  private static class Ear implements StreamSocket.Handler {
    @Nullable
    StreamSocket socket;
    int connected;
    int readable;
    int writable;
    final List<Status> closed = new ArrayList<>();

    @Override
    public void onConnected() {
      connected++;
    }

    @Override
    public void onReadable() {
      readable++;
    }

    @Override
    public void onWritable() {
      writable++;
    }

    @Override
    public void onClosed(Status reason) {
      closed.add(reason);
    }

    StreamSocket socket() {
      return Objects.requireNonNull(socket);
    }
  }

  /** Sends back what it gets, as fast as it can, until the end of the stream. */
  private final class Echo extends Ear {
    private final MemorySegment memory = arena.allocate(256 << 10);
    private final Sgl pending = new Sgl();
    boolean ended;

    @Override
    public void onReadable() {
      turn();
    }

    @Override
    public void onWritable() {
      turn();
    }

    private void turn() {
      StreamSocket peer = socket();
      while (!ended) {
        while (pending.totalBytes() > 0) {
          long taken = peer.write(pending);
          if (taken < 0) {
            ended = true;
            return;
          }
          if (taken == 0) {
            return;
          }
          pending.consume(taken);
        }
        long count = peer.read(memory, 0, memory.byteSize());
        if (count == 0) {
          return;
        }
        if (count < 0) {
          ended = true;
          peer.shutdownOutput();
          return;
        }
        pending.add(memory, 0, count);
      }
    }
  }

  /** Two ends of one connection: {@code near} on the first loop, {@code far} on {@code farLoop}. */
  private final class Pair<F extends Ear> {
    final Ear near = new Ear();
    final F far;

    Pair(Loop farLoop, Function<StreamSocket, F> makeFar) {
      List<F> made = new ArrayList<>();
      StreamListener listener = world.call(farLoop, () -> farLoop.net().listen(ANY, connection -> {
        F[] box = newBox();
        made.add(box(connection, farLoop, makeFar, box));
      }));
      world.run(loop, () -> near.socket = loop.net().connect(listener.localAddress(), near));
      world.until(farLoop, "the accepted connection", () -> made.size() == 1);
      world.until(loop, "the connection", () -> near.connected == 1);
      far = world.call(farLoop, () -> made.get(0));
      world.run(farLoop, listener::close);
    }

    @SuppressWarnings("unchecked")
    private F[] newBox() {
      return (F[]) new Ear[1];
    }

    private F box(StreamListener.Accepted connection, Loop owner, Function<StreamSocket, F> makeFar, F[] box) {
      StreamSocket socket = connection.attach(owner, new StreamSocket.Handler() {
        @Override
        public void onReadable() {
          box[0].onReadable();
        }

        @Override
        public void onWritable() {
          box[0].onWritable();
        }

        @Override
        public void onClosed(Status reason) {
          box[0].onClosed(reason);
        }
      });
      box[0] = makeFar.apply(socket);
      box[0].socket = socket;
      return box[0];
    }
  }

  @Test
  void aLongStreamArrivesWholeThroughAnEcho() {
    long seed = 20261121;
    Pair<Echo> pair = new Pair<>(other, socket -> new Echo());
    Pump pump = new Pump(pair.near, new Random(seed), streamBytes());
    world.run(loop, pump::turn);
    // The ear only counts; the pump is driven by what it has counted.
    world.until(loop, "the echo of " + streamBytes() + " bytes, seed " + seed, () -> {
      pump.turn();
      return pump.received == pump.total;
    });
    assertThat(pump.mismatches).as("seed %d", seed).isZero();
    world.run(loop, () -> pair.near.socket().shutdownOutput());
    world.until(other, "the end at the echo", () -> pair.far.ended);
    MemorySegment one = arena.allocate(1);
    world.until(loop, "the end of the echo", () -> pair.near.socket().read(one, 0, 1) == StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.socket().closeReason())).isEqualTo(Status.OK);
  }

  /** Writes a pattern in random pieces and checks that the same comes back. */
  private final class Pump {
    private static final int CHUNK = 1 << 20;
    private final Ear ear;
    private final Random random;
    private final long total;
    private final MemorySegment out = arena.allocate(CHUNK + 251);
    private final MemorySegment in = arena.allocate(CHUNK);
    private final Sgl pending = new Sgl();
    private long sent;
    private long received;
    private int mismatches;

    Pump(Ear ear, Random random, long total) {
      this.ear = ear;
      this.random = random;
      this.total = total;
      for (int i = 0; i < out.byteSize(); i++) {
        out.set(ValueLayout.JAVA_BYTE, i, (byte) (i % 251));
      }
    }

    void turn() {
      for (int i = 0; i < 64; i++) {
        boolean written = write();
        boolean read = read();
        if (!written && !read) {
          return;
        }
      }
    }

    private boolean write() {
      if (pending.totalBytes() == 0 && sent < total) {
        for (int pieces = 1 + random.nextInt(20); pieces > 0 && sent < total; pieces--) {
          long length = Math.min(total - sent, 1 + random.nextInt(random.nextBoolean() ? 100 : CHUNK / 8));
          pending.add(out, sent % 251, length);
          sent += length;
        }
      }
      long taken = pending.totalBytes() == 0 ? 0 : ear.socket().write(pending);
      assertThat(taken).isNotNegative();
      pending.consume(taken);
      return taken > 0;
    }

    private boolean read() {
      long count = random.nextBoolean() ? ear.socket().read(in, 0, 1 + random.nextInt(CHUNK)) : scatter();
      assertThat(count).isNotNegative();
      if (count > 0 && MemorySegment.mismatch(in, 0, count, out, received % 251, received % 251 + count) >= 0) {
        mismatches++;
      }
      received += count;
      return count > 0;
    }

    /** Reads into pieces that lie side by side. */
    private long scatter() {
      Sgl list = new Sgl();
      long at = 0;
      for (int pieces = 1 + random.nextInt(20); pieces > 0; pieces--) {
        long length = 1L + random.nextInt(random.nextBoolean() ? 100 : CHUNK / 20);
        list.add(in, at, length);
        at += length;
      }
      return ear.socket().read(list);
    }
  }

  @Test
  void aListIsReadToTheEndOfTheStream() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(64);
    Sgl list = new Sgl();
    list.add(memory, 40, 3);
    list.add(memory, 10, 4);
    assertThat(world.call(loop, () -> pair.near.socket().read(list))).isZero();
    MemorySegment out = arena.allocate(10);
    for (int i = 0; i < 10; i++) {
      out.set(ValueLayout.JAVA_BYTE, i, (byte) (i + 1));
    }
    Sgl sent = new Sgl();
    sent.add(out, 0, 10);
    world.until(other, "room for 10 bytes", () -> {
      sent.consume(pair.far.socket().write(sent));
      return sent.totalBytes() == 0;
    });
    world.run(other, () -> pair.far.socket().shutdownOutput());
    StringBuilder got = new StringBuilder();
    world.until(loop, "10 bytes and the end", () -> {
      long count = pair.near.socket().read(list);
      for (int i = 0; i < count; i++) {
        got.append(memory.get(ValueLayout.JAVA_BYTE, i < 3 ? 40 + i : 10 + i - 3)).append(' ');
      }
      return count == StreamSocket.CLOSED;
    });
    assertThat(got).hasToString("1 2 3 4 5 6 7 8 9 10 ");
    assertThat(list.totalBytes()).isEqualTo(7);
    assertThat(world.call(loop, () -> pair.near.socket().closeReason())).isEqualTo(Status.OK);
  }

  @Test
  void aListIsReadUntilAReset() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    Sgl list = new Sgl();
    list.add(arena.allocate(64), 0, 64);
    world.run(other, () -> pair.far.socket().reset());
    world.until(loop, "the reset", () -> pair.near.socket().read(list) == StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.socket().closeReason())).isEqualTo(Status.DISCONNECTED);
  }

  @Test
  void readinessIsToldOncePerEdge() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(64);
    send(other, pair.far, 10);
    world.until(loop, "the first edge", () -> pair.near.readable == 1);
    // Until a read has given 0, more data makes no noise.
    send(other, pair.far, 10);
    pause(loop);
    assertThat(world.call(loop, () -> pair.near.readable)).isEqualTo(1);
    long[] got = new long[1];
    world.until(loop, "20 bytes and then nothing", () -> {
      long count = pair.near.socket().read(memory, 0, 7);
      got[0] += count;
      return got[0] == 20 && count == 0;
    });
    int before = world.call(loop, () -> pair.near.readable);
    send(other, pair.far, 1);
    world.until(loop, "the next edge", () -> pair.near.readable == before + 1);
  }

  @Test
  void aFullSocketSaysWhenItHasRoom() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(1 << 20);
    long filled = world.call(loop, () -> fill(pair.near, memory));
    assertThat(filled).isPositive();
    assertThat(world.call(loop, () -> pair.near.writable)).isZero();
    long[] drained = new long[1];
    world.until(other, "all that was taken", () -> {
      for (long count = 1; count > 0;) {
        count = pair.far.socket().read(memory, 0, memory.byteSize());
        drained[0] += count;
      }
      return drained[0] == filled;
    });
    world.until(loop, "room", () -> pair.near.writable == 1);
  }

  /** Writes until the socket is full. */
  private static long fill(Ear ear, MemorySegment memory) {
    Sgl list = new Sgl();
    long total = 0;
    while (true) {
      list.clear();
      list.add(memory, 0, memory.byteSize());
      long taken = ear.socket().write(list);
      total += taken;
      if (taken < memory.byteSize()) {
        return total;
      }
    }
  }

  @Test
  void aClosedOutputStillReads() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(64);
    send(loop, pair.near, 5);
    world.run(loop, () -> pair.near.socket().shutdownOutput());
    long[] got = new long[1];
    world.until(other, "5 bytes and the end", () -> {
      long count = pair.far.socket().read(memory, 0, 64);
      got[0] += Math.max(0, count);
      return count == StreamSocket.CLOSED;
    });
    assertThat(got[0]).isEqualTo(5);
    assertThat(world.call(other, () -> pair.far.socket().closeReason())).isEqualTo(Status.OK);
    send(other, pair.far, 7);
    long[] answer = new long[1];
    world.until(loop, "the answer", () -> {
      answer[0] += pair.near.socket().read(memory, 0, 64);
      return answer[0] == 7;
    });
    world.run(other, () -> pair.far.socket().close());
    world.until(loop, "the end", () -> pair.near.socket().read(memory, 0, 64) == StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.closed)).isEmpty();
  }

  @Test
  void whatWasWrittenBeforeCloseArrives() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(1 << 16);
    send(other, pair.far, 1 << 16);
    world.run(other, () -> {
      pair.far.socket().close();
      pair.far.socket().close();
    });
    long[] got = new long[1];
    world.until(loop, "all and the end", () -> {
      long count = pair.near.socket().read(memory, 0, memory.byteSize());
      got[0] += Math.max(0, count);
      return count == StreamSocket.CLOSED;
    });
    assertThat(got[0]).isEqualTo(1 << 16);
  }

  @Test
  void aResetIsHeardByWhoeverReads() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    MemorySegment memory = arena.allocate(64);
    world.run(other, () -> pair.far.socket().reset());
    world.until(loop, "the reset", () -> pair.near.socket().read(memory, 0, 64) == StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.socket().closeReason())).isEqualTo(Status.DISCONNECTED);
    Sgl list = new Sgl();
    list.add(memory, 0, 1);
    assertThat(world.call(loop, () -> pair.near.socket().write(list))).isEqualTo(StreamSocket.CLOSED);
  }

  @Test
  void aResetIsHeardByWhoeverDoesNotRead() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    world.run(other, () -> pair.far.socket().reset());
    world.until(loop, "onClosed", () -> !pair.near.closed.isEmpty());
    assertThat(pair.near.closed).containsExactly(Status.DISCONNECTED);
  }

  @Test
  void nothingIsHeardAfterClose() {
    Pair<Ear> pair = new Pair<>(other, socket -> new Ear());
    int before = world.call(loop, () -> {
      pair.near.socket().close();
      return pair.near.readable + pair.near.writable;
    });
    send(other, pair.far, 1);
    MemorySegment memory = arena.allocate(8);
    world.until(other, "the end", () -> pair.far.socket().read(memory, 0, 8) == StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.socket().read(memory, 0, 8))).isEqualTo(StreamSocket.CLOSED);
    assertThat(world.call(loop, () -> pair.near.readable + pair.near.writable)).isEqualTo(before);
    assertThat(pair.near.closed).isEmpty();
  }

  @Test
  void aRefusedConnectionIsToldAfterConnectHasReturned() {
    InetSocketAddress free = world.call(loop, () -> {
      try (StreamListener listener = loop.net().listen(ANY, StreamListener.Accepted::close)) {
        return listener.localAddress();
      }
    });
    Ear ear = new Ear();
    world.run(loop, () -> {
      ear.socket = loop.net().connect(free, ear);
      assertThat(ear.closed).isEmpty();
    });
    world.until(loop, "the refusal", () -> !ear.closed.isEmpty());
    assertThat(ear.closed).containsExactly(Status.DISCONNECTED);
    assertThat(ear.connected).isZero();
    world.run(loop, () -> ear.socket().close());
  }

  @Test
  void anAddressInUseIsRefusedUntilItsListenerCloses() {
    StreamListener first = world.call(loop, () -> loop.net().listen(ANY, StreamListener.Accepted::close));
    assertThatThrownBy(
        () -> world.run(other, () -> other.net().listen(first.localAddress(), StreamListener.Accepted::close)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.EXISTS))
        .hasMessageContaining(Addresses.format(first.localAddress()));
    for (int i = 0; i < 20; i++) {
      world.run(loop, () -> {
        first.close();
        loop.net().listen(first.localAddress(), StreamListener.Accepted::close).close();
      });
    }
  }

  @Test
  void anAddressOfSomebodyElseIsRefused() {
    assertThatThrownBy(() -> world.run(loop,
        () -> loop.net().listen(Addresses.parse("198.51.100.7:0"), StreamListener.Accepted::close)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID));
  }

  @Test
  void anAcceptedConnectionMayGoToAnotherLoop() {
    List<Ear> far = new ArrayList<>();
    StreamListener listener = world.call(loop, () -> loop.net().listen(ANY, connection -> other.execute(() -> {
      Ear ear = new Ear();
      ear.socket = connection.attach(other, ear);
      far.add(ear);
    })));
    Ear near = new Ear();
    world.run(loop, () -> near.socket = loop.net().connect(listener.localAddress(), near));
    world.until(loop, "the connection", () -> near.connected == 1);
    send(loop, near, 3);
    world.until(other, "data on the other loop", () -> far.size() == 1 && far.get(0).readable == 1);
    assertThat(far.get(0).socket().loop()).isSameAs(other);
    assertThat(world.call(other, () -> far.get(0).socket().remoteAddress()))
        .isEqualTo(world.call(loop, () -> near.socket().localAddress()));
  }

  @Test
  void aConnectionMovesToAnotherLoopWithWhatItHasNotRead() {
    Pair<Ear> pair = new Pair<>(loop, socket -> new Ear());
    MemorySegment memory = arena.allocate(64);
    send(loop, pair.near, 5);
    long[] got = new long[1];
    world.until(loop, "the first byte", () -> (got[0] += pair.far.socket().read(memory, 0, 1)) == 1);
    StreamListener.Accepted moving = world.call(loop, () -> pair.far.socket().detach());
    send(loop, pair.near, 2);
    int before = world.call(loop, () -> pair.far.readable);
    Ear there = new Ear();
    world.run(other, () -> there.socket = moving.attach(other, there));
    world.until(other, "onReadable", () -> there.readable == 1);
    world.until(other, "the rest", () -> (got[0] += Math.max(0, there.socket().read(memory, 0, 64))) == 7);
    send(other, there, 3);
    world.until(loop, "an answer", () -> pair.near.readable == 1);
    assertThat(world.call(loop, () -> pair.far.readable)).as("told to the former owner").isEqualTo(before);
    world.run(loop, () -> pair.far.socket().close());
    world.run(other, () -> there.socket().close());
    world.until(loop, "the end", () -> pair.near.socket().read(memory, 0, 64) == StreamSocket.CLOSED);
  }

  @Test
  void manyConnectionsComeAndGo() {
    List<StreamSocket> accepted = new ArrayList<>();
    StreamListener listener = world.call(other, () -> other.net().listen(ANY, connection -> {
      Echo echo = new Echo();
      echo.socket = connection.attach(other, echo);
      accepted.add(echo.socket);
    }));
    List<Ear> ears = new ArrayList<>();
    MemorySegment memory = arena.allocate(64);
    for (int round = 0; round < 3; round++) {
      int target = (round + 1) * 100;
      world.run(loop, () -> {
        for (int i = 0; i < 100; i++) {
          Ear ear = new Ear();
          ear.socket = loop.net().connect(listener.localAddress(), ear);
          ears.add(ear);
        }
      });
      world.until(loop, "100 connections", () -> ears.stream().allMatch(ear -> ear.connected == 1));
      world.until(other, "100 accepted", () -> accepted.size() == target);
      for (Ear ear : ears.subList(target - 100, target)) {
        send(loop, ear, 9);
      }
      for (Ear ear : ears.subList(target - 100, target)) {
        long[] got = new long[1];
        world.until(loop, "an echo", () -> {
          got[0] += ear.socket().read(memory, 0, 64);
          return got[0] == 9;
        });
      }
      world.run(loop, () -> ears.subList(target - 100, target).forEach(ear -> ear.socket().close()));
    }
    assertThat(ears).allMatch(ear -> ear.readable >= 1);
  }

  @Test
  void aRefusedAcceptEndsTheConnection() {
    StreamListener listener = world.call(other, () -> other.net().listen(ANY, StreamListener.Accepted::close));
    Ear near = new Ear();
    MemorySegment memory = arena.allocate(8);
    world.run(loop, () -> near.socket = loop.net().connect(listener.localAddress(), near));
    world.until(loop, "the end", () -> near.socket().read(memory, 0, 8) == StreamSocket.CLOSED);
  }

  @Test
  void datagramsKeepTheirBoundaries() {
    DatagramEar near = new DatagramEar();
    DatagramEar far = new DatagramEar();
    near.socket = world.call(loop, () -> loop.net().bind(ANY, near));
    far.socket = world.call(other, () -> other.net().bind(ANY, far));
    DatagramSocket.Peer to = new DatagramSocket.Peer();
    byte[] address = far.socket().localAddress().getAddress().getAddress();
    System.arraycopy(address, 0, to.address, 0, address.length);
    to.addressBytes = address.length;
    to.port = far.socket().localAddress().getPort();
    MemorySegment memory = arena.allocate(64);
    DatagramSocket.Peer from = new DatagramSocket.Peer();
    for (int length : new int[] {1, 40, 64, 100}) {
      MemorySegment message = arena.allocate(length);
      message.fill((byte) length);
      Sgl list = new Sgl();
      list.add(message, 0, length / 2);
      list.add(message, length / 2, length - length / 2);
      boolean[] arrived = new boolean[1];
      // The network may lose some, so each is sent until it has arrived.
      for (int attempt = 0; attempt < 50 && !arrived[0]; attempt++) {
        assertThat(world.call(loop, () -> near.socket().send(list, to))).isEqualTo(length);
        pause(other);
        world.run(other, () -> arrived[0] = far.socket().receive(memory, 0, 64, from) == length);
      }
      assertThat(arrived[0]).as("a datagram of %d bytes", length).isTrue();
      assertThat(memory.get(ValueLayout.JAVA_BYTE, Math.min(length, 64) - 1)).isEqualTo((byte) length);
    }
    world.until(other, "nothing more",
        () -> far.socket().receive(memory, 0, 64, from) == DatagramSocket.WOULD_BLOCK);
    int edges = world.call(other, () -> far.readable);
    MemorySegment message = arena.allocate(8);
    Sgl list = new Sgl();
    list.add(message, 0, 8);
    world.run(loop, () -> near.socket().send(list, to));
    world.until(other, "the next edge", () -> far.readable == edges + 1);
    world.run(loop, () -> near.socket().close());
    world.run(other, () -> far.socket().close());
    assertThat(from.port).isEqualTo(near.socket().localAddress().getPort());
    assertThat(from.addressBytes).isEqualTo(4);
  }

  private static final class DatagramEar implements DatagramSocket.Handler {
    @Nullable
    DatagramSocket socket;
    int readable;

    @Override
    public void onReadable() {
      readable++;
    }

    @Override
    public void onWritable() {}

    DatagramSocket socket() {
      return Objects.requireNonNull(socket);
    }
  }

  /** Lets some time of {@code loop} go by. */
  private void pause(Loop where) {
    boolean[] over = new boolean[1];
    world.run(where, () -> where.timer(() -> over[0] = true).arm(5_000_000));
    world.until(where, "the end of a pause", () -> over[0]);
  }

  private void send(Loop from, Ear ear, int bytes) {
    MemorySegment memory = arena.allocate(bytes);
    Sgl list = new Sgl();
    list.add(memory, 0, bytes);
    world.until(from, "room for " + bytes + " bytes", () -> {
      long taken = ear.socket().write(list);
      assertThat(taken).isNotNegative();
      list.consume(taken);
      return list.totalBytes() == 0;
    });
  }
}
