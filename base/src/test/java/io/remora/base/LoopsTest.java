package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops.Backend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tasks, timers, sockets and files of real loops. */
class LoopsTest {
  private static final InetSocketAddress LOOPBACK = Addresses.parse("127.0.0.1:0");

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @ParameterizedTest
  @EnumSource(Backend.class)
  void tasksRunInOrderAndTimersByDeadline(Backend backend) {
    try (Loops loops = start(backend, 1)) {
      Loop loop = loops.get(0);
      List<Integer> order = new ArrayList<>();
      CompletableFuture<Void> done = new CompletableFuture<>();
      loop.execute(() -> {
        assertThat(loop.inLoop()).isTrue();
        Timer late = loop.timer(() -> {
          order.add(3);
          done.complete(null);
        });
        Timer never = loop.timer(() -> order.add(99));
        Timer early = loop.timer(() -> order.add(2));
        late.arm(1_000_000);
        never.arm(100_000_000);
        never.arm(200_000);
        early.arm(500_000_000);
        early.arm(300_000);
        never.cancel();
        loop.defer(() -> loop.defer(() -> order.add(1)));
        order.add(0);
      });
      await(done);
      assertThat(order).containsExactly(0, 1, 2, 3);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aTaskThatThrowsDoesNotEndTheLoop(Backend backend) {
    try (Loops loops = start(backend, 1)) {
      loops.get(0).execute(() -> {
        throw new IllegalStateException("thrown on purpose by a test");
      });
      assertThat(call(loops.get(0), () -> 5)).isEqualTo(5);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aStreamArrivesWholeInBothDirections(Backend backend) {
    long seed = System.nanoTime();
    byte[] data = new byte[8 << 20];
    new SplittableRandom(seed).nextBytes(data);
    try (Loops loops = start(backend, 2); Arena arena = Arena.ofShared()) {
      CompletableFuture<byte[]> received = new CompletableFuture<>();
      InetSocketAddress address = call(loops.get(0), () -> loops.get(0).net()
          .listen(LOOPBACK, accepted -> loops.get(1).execute(() -> new Echo(loops.get(1), accepted, arena)))
          .localAddress());
      loops.get(0).execute(() -> new Client(loops.get(0), address, data, seed, arena, received));
      assertThat(await(received)).as("seed " + seed).isEqualTo(data);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aRefusedConnectionIsReported(Backend backend) {
    try (Loops loops = start(backend, 1)) {
      Loop loop = loops.get(0);
      CompletableFuture<Status> closed = new CompletableFuture<>();
      loop.execute(() -> {
        StreamListener listener = loop.net().listen(LOOPBACK, StreamListener.Accepted::close);
        InetSocketAddress address = listener.localAddress();
        assertThatThrownBy(() -> loop.net().listen(address, StreamListener.Accepted::close))
            .isInstanceOf(RemoraException.class).hasMessageContaining("in use");
        listener.close();
        loop.net().connect(address, new StreamSocket.Handler() {
          @Override
          public void onReadable() {}

          @Override
          public void onWritable() {}

          @Override
          public void onClosed(Status reason) {
            closed.complete(reason);
          }
        });
      });
      assertThat(await(closed)).isEqualTo(Status.DISCONNECTED);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void datagramsCarryTheirSender(Backend backend) {
    try (Loops loops = start(backend, 1); Arena arena = Arena.ofShared()) {
      Loop loop = loops.get(0);
      MemorySegment memory = arena.allocate(64);
      CompletableFuture<Integer> port = new CompletableFuture<>();
      int sender = call(loop, () -> {
        DatagramSocket[] receiver = new DatagramSocket[1];
        receiver[0] = loop.net().bind(LOOPBACK, new DatagramSocket.Handler() {
          @Override
          public void onReadable() {
            DatagramSocket.Peer from = new DatagramSocket.Peer();
            if (receiver[0].receive(memory, 32, 8, from) == 5) {
              port.complete(from.port);
            }
          }

          @Override
          public void onWritable() {}
        });
        DatagramSocket source = loop.net().bind(LOOPBACK, new DatagramSocket.Handler() {
          @Override
          public void onReadable() {}

          @Override
          public void onWritable() {}
        });
        DatagramSocket.Peer to = new DatagramSocket.Peer();
        to.address[0] = 127;
        to.address[3] = 1;
        to.addressBytes = 4;
        to.port = receiver[0].localAddress().getPort();
        Sgl sgl = new Sgl();
        sgl.add(memory, 0, 2);
        sgl.add(memory, 8, 3);
        assertThat(source.send(sgl, to)).isEqualTo(5);
        return source.localAddress().getPort();
      });
      assertThat(await(port)).isEqualTo(sender);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aFileHoldsWhatWasWritten(Backend backend) {
    try (Loops loops = start(backend, 1); Arena arena = Arena.ofShared()) {
      Loop loop = loops.get(0);
      Path path = folder.resolve("disk");
      DiskFile file = call(loop, () -> loop.disk().open(path, Disk.Mode.CREATE));
      assertThat(file.createdEmpty()).isTrue();
      call(loop, () -> {
        file.grow(4 << 20);
        return 0;
      });
      MemorySegment out = arena.allocate(1 << 20, 4096);
      MemorySegment in = arena.allocate((1 << 20) + 1, 4096);
      for (long i = 0; i < out.byteSize(); i += 8) {
        out.set(ValueLayout.JAVA_LONG, i, i * 0x9E3779B97F4A7C15L);
      }
      assertThat(io(loop, file, IoRequest.Op.WRITE, 4096, 1 << 20, out, 0, true)).isEqualTo(Status.OK);
      assertThat(io(loop, file, IoRequest.Op.FLUSH, 0, 0, out, 0, false)).isEqualTo(Status.OK);
      // An odd address cannot go to the disk as it is.
      assertThat(io(loop, file, IoRequest.Op.READ, 4096, 1 << 20, in, 1, false)).isEqualTo(Status.OK);
      assertThat(MemorySegment.mismatch(out, 0, 1 << 20, in, 1, (1 << 20) + 1)).isEqualTo(-1);
      assertThat(io(loop, file, IoRequest.Op.WRITE_ZEROES, 8192, 4096, in, 0, true)).isEqualTo(Status.OK);
      assertThat(io(loop, file, IoRequest.Op.DEALLOCATE, 65536, 65536, in, 0, false)).isEqualTo(Status.OK);
      assertThat(io(loop, file, IoRequest.Op.READ, 0, 1 << 20, in, 0, false)).isEqualTo(Status.OK);
      assertThat(in.asSlice(8192, 4096).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(in.asSlice(65536, 65536).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(MemorySegment.mismatch(out, 0, 4096, in, 4096, 8192)).isEqualTo(-1);
      assertThat(io(loop, file, IoRequest.Op.READ, 4 << 20, 4096, in, 0, false)).isEqualTo(Status.OUT_OF_RANGE);
      assertThat(io(loop, file, IoRequest.Op.READ, 100, 4096, in, 0, false)).isEqualTo(Status.INVALID);
      call(loop, () -> {
        file.close();
        return 0;
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void aFileIsLockedUntilItsLastWriterHasClosedIt(Backend backend) {
    try (Loops loops = start(backend, 2); Loops others = start(backend, 1)) {
      Path path = folder.resolve("locked");
      DiskFile first = call(loops.get(0), () -> loops.get(0).disk().open(path, Disk.Mode.CREATE));
      DiskFile second = call(loops.get(1), () -> loops.get(1).disk().open(path, Disk.Mode.WRITE));
      Disk other = others.get(0).disk();
      assertThatThrownBy(() -> call(others.get(0), () -> other.open(path, Disk.Mode.WRITE)))
          .hasMessageContaining("in use");
      call(others.get(0), () -> other.open(path, Disk.Mode.READ));
      call(loops.get(0), () -> {
        first.close();
        return 0;
      });
      assertThatThrownBy(() -> call(others.get(0), () -> other.open(path, Disk.Mode.WRITE)))
          .hasMessageContaining("in use");
      call(loops.get(1), () -> {
        second.close();
        return 0;
      });
      call(others.get(0), () -> other.open(path, Disk.Mode.WRITE));
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void manyRequestsAreInFlightAtOnce(Backend backend) {
    int count = 1000;
    try (Loops loops = start(backend, 1); Arena arena = Arena.ofShared()) {
      Loop loop = loops.get(0);
      MemorySegment memory = arena.allocate(4096L * count, 4096);
      CompletableFuture<Integer> done = new CompletableFuture<>();
      int[] left = {count};
      loop.execute(() -> {
        DiskFile file = loop.disk().open(folder.resolve("many"), Disk.Mode.CREATE);
        file.grow(4096L * count);
        for (int i = 0; i < count; i++) {
          IoRequest request = new IoRequest(r -> {
            if (r.status != Status.OK) {
              done.complete(-1);
            } else if (--left[0] == 0) {
              done.complete(count);
            }
          }).prepare(IoRequest.Op.WRITE, 4096L * i, 4096);
          request.sgl.add(memory, 4096L * i, 4096);
          file.submit(request);
        }
      });
      assertThat(await(done)).isEqualTo(count);
    }
  }

  @ParameterizedTest
  @EnumSource(Backend.class)
  void smallFilesAreReplacedWhole(Backend backend) {
    try (Loops loops = start(backend, 1)) {
      Disk disk = loops.get(0).disk();
      Path path = folder.resolve("state");
      call(loops.get(0), () -> {
        assertThat(disk.load(path)).isEmpty();
        disk.store(path, new byte[] {1, 2});
        disk.store(path, new byte[] {3});
        assertThat(disk.load(path)).hasValueSatisfying(bytes -> assertThat(bytes).containsExactly(3));
        disk.delete(path);
        disk.delete(path);
        assertThat(disk.load(path)).isEmpty();
        return 0;
      });
    }
  }

  private static Status io(Loop loop, DiskFile file, IoRequest.Op op, long offset, long length, MemorySegment memory,
      long at, boolean fua) {
    CompletableFuture<Status> done = new CompletableFuture<>();
    loop.execute(() -> {
      IoRequest request = new IoRequest(r -> done.complete(r.status)).prepare(op, offset, length);
      request.fua = fua;
      if (request.hasData()) {
        request.sgl.add(memory, at, length / 2);
        request.sgl.add(memory, at + length / 2, length - length / 2);
      }
      file.submit(request);
      assertThat(done).isNotDone();
    });
    return await(done);
  }

  private static Loops start(Backend backend, int count) {
    try {
      return Loops.start(new Loops.Config("test", count, backend, 20_000, List.of()));
    } catch (RemoraException e) {
      Assumptions.abort(backend + ": " + e.getMessage());
      throw e;
    }
  }

  private static <T> T call(Loop loop, Supplier<T> body) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        done.complete(body.get());
      } catch (Throwable e) {
        done.completeExceptionally(e);
      }
    });
    return await(done);
  }

  private static <T> T await(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  /** Sends back what it gets. */
  private static final class Echo implements StreamSocket.Handler {
    private final StreamSocket socket;
    private final MemorySegment memory;
    private final Sgl pending = new Sgl();

    Echo(Loop loop, StreamListener.Accepted accepted, Arena arena) {
      memory = arena.allocate(10_000);
      socket = accepted.attach(loop, this);
    }

    @Override
    public void onReadable() {
      while (pending.totalBytes() == 0) {
        long n = socket.read(memory, 0, memory.byteSize());
        if (n <= 0) {
          if (n == StreamSocket.CLOSED) {
            socket.close();
          }
          return;
        }
        pending.clear();
        pending.add(memory, 0, n);
        push();
      }
    }

    @Override
    public void onWritable() {
      push();
      onReadable();
    }

    @Override
    public void onClosed(Status reason) {
      socket.close();
    }

    private void push() {
      long n = socket.write(pending);
      if (n > 0) {
        pending.consume(n);
      }
    }
  }

  /** Sends all of its data in pieces of random sizes and collects what comes back. */
  private static final class Client implements StreamSocket.Handler {
    private final StreamSocket socket;
    private final SplittableRandom random;
    private final MemorySegment source;
    private final MemorySegment target;
    private final CompletableFuture<byte[]> received;
    private final Sgl sgl = new Sgl();
    private long sent;
    private long got;
    private @Nullable Throwable failure;

    Client(Loop loop, InetSocketAddress address, byte[] data, long seed, Arena arena,
        CompletableFuture<byte[]> received) {
      this.random = new SplittableRandom(seed);
      this.source = arena.allocate(data.length);
      this.target = arena.allocate(data.length + 1L);
      this.received = received;
      MemorySegment.copy(data, 0, source, ValueLayout.JAVA_BYTE, 0, data.length);
      this.socket = loop.net().connect(address, this);
    }

    @Override
    public void onConnected() {
      onWritable();
    }

    @Override
    public void onWritable() {
      while (sent < source.byteSize()) {
        sgl.clear();
        long at = sent;
        for (int i = 0; i < 5 && at < source.byteSize(); i++) {
          long n = Math.min(source.byteSize() - at, 1 + random.nextInt(200_000));
          sgl.add(source, at, n);
          at += n;
        }
        long offered = sgl.totalBytes();
        long n = socket.write(sgl);
        sent += Math.max(0, n);
        if (n < offered) {
          return;
        }
      }
      socket.shutdownOutput();
    }

    @Override
    public void onReadable() {
      while (true) {
        long n = socket.read(target, got, Math.min(target.byteSize() - got, 1 + random.nextInt(100_000)));
        if (n == StreamSocket.CLOSED) {
          received.complete(target.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE));
          socket.close();
          return;
        }
        if (n == 0) {
          return;
        }
        got += n;
      }
    }

    @Override
    public void onClosed(Status reason) {
      failure = new IllegalStateException(reason.text());
      received.completeExceptionally(failure);
      socket.close();
    }
  }
}
