package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.RequestCheck;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Random I/O on one namespace from several channels, held against an array. Ranges in flight do not overlap, except for reads
 * that overlap reads; whatever was acknowledged must be what later reads return, whatever befell the connection in between.
 */
public final class Workload {
  private static final int MAX_BYTES = 300 << 10;

  private final class Worker {
    final BlockChannel channel;
    final SimLoop loop;
    final MemorySegment memory = Arena.ofAuto().allocate(MAX_BYTES, 8);
    final IoRequest request = new IoRequest(r -> completed());
    byte[] wanted = new byte[0];
    boolean busy;

    Worker(BlockChannel channel, SimLoop loop) {
      this.channel = channel;
      this.loop = loop;
    }

    private void completed() {
      busy = false;
      assertThat(request.status).as(request.toString()).isIn(acceptable);
      if (!request.status.isOk()) {
        failures++;
        uncertain(request);
        return;
      }
      acknowledged++;
      int at = (int) request.offset;
      int length = (int) request.length;
      switch (request.op) {
        case READ -> assertReads(at, length);
        case WRITE -> System.arraycopy(wanted, 0, model, at, length);
        case WRITE_ZEROES, DEALLOCATE -> Arrays.fill(model, at, at + length, (byte) 0);
        case FLUSH, COMPARE -> {
        }
      }
      if (RequestCheck.changes(request.op)) {
        Arrays.fill(known, at / 512, (at + length) / 512, true);
      }
    }

    private void assertReads(int at, int length) {
      byte[] got = memory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < length; i++) {
        if (known[(at + i) / 512] && got[i] != model[at + i]) {
          throw new AssertionError(request + " returned something else at byte " + i);
        }
      }
    }

    /** A write that failed may have happened or not: what is there, nobody knows until it is written again. */
    private void uncertain(IoRequest failed) {
      if (RequestCheck.changes(failed.op)) {
        Arrays.fill(known, (int) (failed.offset / 512), (int) ((failed.offset + failed.length) / 512), false);
      }
    }

    boolean start() {
      IoRequest.Op op = switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> IoRequest.Op.READ;
        case 4, 5, 6, 7, 8 -> IoRequest.Op.WRITE;
        case 9 -> IoRequest.Op.WRITE_ZEROES;
        case 10 -> IoRequest.Op.DEALLOCATE;
        default -> IoRequest.Op.FLUSH;
      };
      int length = 512 * (1 + (random.nextInt(4) == 0 ? random.nextInt(MAX_BYTES / 512) : random.nextInt(24)));
      int offset = 512 * random.nextInt((model.length - length) / 512 + 1);
      for (Worker other : workers) {
        boolean overlaps = other.request.offset < offset + length
            && offset < other.request.offset + other.request.length;
        boolean reads = op == IoRequest.Op.READ && other.request.op == IoRequest.Op.READ;
        if (other.busy && other.request.op != IoRequest.Op.FLUSH && overlaps && !reads) {
          return false;
        }
      }
      request.prepare(op, offset, op == IoRequest.Op.FLUSH ? 0 : length);
      if (op == IoRequest.Op.READ || op == IoRequest.Op.WRITE) {
        wanted = new byte[length];
        for (int i = 0; i < length; i++) {
          wanted[i] = (byte) random.nextInt();
        }
        memory.asSlice(0, length).copyFrom(MemorySegment.ofArray(wanted));
        scatter(length);
      }
      busy = true;
      submitted++;
      loop.run(() -> channel.submit(request));
      return true;
    }

    void read(int offset, int length) {
      request.prepare(IoRequest.Op.READ, offset, length).sgl.add(memory, 0, length);
      busy = true;
      loop.run(() -> channel.submit(request));
    }

    private void scatter(int length) {
      int at = 0;
      while (at < length) {
        int piece = random.nextInt(3) == 0 ? 1 + random.nextInt(length - at) : length - at;
        request.sgl.add(memory, at, piece);
        at += piece;
      }
    }
  }

  private final RandomGenerator random;
  private final byte[] model;
  private final boolean[] known;
  private final List<Worker> workers = new ArrayList<>();
  private final List<Status> acceptable = new ArrayList<>(List.of(Status.OK));
  /** Requests begun. */
  public long submitted;
  /** Requests that ended well. */
  public long acknowledged;
  /** Requests that ended otherwise. */
  public long failures;

  /** On a device of zeros. */
  public Workload(RandomGenerator random, int sizeBytes) {
    this.random = random;
    this.model = new byte[sizeBytes];
    this.known = new boolean[sizeBytes / 512];
    Arrays.fill(known, true);
  }

  /** Requests may end so, too. */
  public Workload accept(Status status) {
    acceptable.add(status);
    return this;
  }

  /** Adds {@code count} workers on a channel. */
  public void add(BlockChannel channel, SimLoop loop, int count) {
    for (int i = 0; i < count; i++) {
      workers.add(new Worker(channel, loop));
    }
  }

  /** Gives idle workers something to do. */
  public void start(int limit) {
    int started = 0;
    for (Worker worker : workers) {
      if (!worker.busy && started < limit && worker.start()) {
        started++;
      }
    }
  }

  /** Whether nothing is in flight. */
  public boolean idle() {
    return workers.stream().noneMatch(worker -> worker.busy);
  }

  /** Reads the whole device; nothing else is in flight. */
  public void readAll(Simulation sim) {
    Worker reader = workers.getFirst();
    for (int at = 0; at < model.length; at += 128 << 10) {
      reader.read(at, Math.min(128 << 10, model.length - at));
      sim.runUntil(() -> !reader.busy, 60_000_000_000L);
    }
  }

  /** The bytes that are known, compared with what is on {@code disk}. */
  public void assertHolds(byte[] disk) {
    for (int i = 0; i < model.length; i++) {
      if (known[i / 512] && disk[i] != model[i]) {
        throw new AssertionError("byte " + i + " of the device is not what was written");
      }
    }
  }
}
