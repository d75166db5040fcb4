package io.remora.sim;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.block.BlockChannel;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One request of a {@link Client}, over and over: it thinks, picks what to do, sends it, and holds the answer against the model. Belongs
 * to the simulation's thread.
 */
final class Worker {
  /** The longest request. */
  static final int MAX_BYTES = 160 << 10;
  private static final byte GARBAGE = (byte) 0xA7;
  private static final byte ODD = 1;

  private final Client client;
  private final World world;
  private final RandomGenerator random;
  private final SimLoop loop;
  private final BlockChannel channel;
  private final MemorySegment memory;
  private final IoRequest request = new IoRequest(this::ended);
  private VolumeModel.@Nullable Change change;
  private VolumeModel.@Nullable Flush flush;
  private boolean matches;
  private boolean certain;
  private long since;
  private boolean busy;
  private int lastFirst;
  private int lastCount;

  Worker(Client client, World world, SimLoop loop, BlockChannel channel) {
    this.client = client;
    this.world = world;
    this.random = world.random();
    this.loop = loop;
    this.channel = channel;
    this.memory = world.memory(MAX_BYTES);
  }

  boolean busy() {
    return busy;
  }

  /** Thinks for a while, then does something, as long as the client wants more. */
  void think() {
    long thinkNs = random.nextInt(8) == 0 ? random.nextLong(world.shape().longThinkNs()) : random.nextLong(500_000);
    world.schedule(thinkNs, () -> {
      if (!busy && client.wantsMore()) {
        begin();
      }
    });
  }

  /** Reads {@code count} blocks at {@code first}. */
  void read(int first, int count) {
    prepare(Op.READ, first, count);
    submit();
  }

  /** Does {@code op} on {@code count} blocks at {@code first}. */
  void does(Op op, int first, int count) {
    prepare(op, first, count);
    submit();
  }

  private void begin() {
    client.noticeGrowth();
    Op op = switch (random.nextInt(24)) {
      case 0, 1, 2, 3, 4, 5 -> Op.READ;
      case 6 -> Op.COMPARE;
      case 7, 8 -> Op.WRITE_ZEROES;
      case 9, 10, 11 -> Op.DEALLOCATE;
      case 12, 13, 14 -> Op.FLUSH;
      default -> Op.WRITE;
    };
    int unit = channel.device().blockSize() / Stamp.BYTES;
    int units = client.model().blockCount() / unit;
    int first = random.nextInt(units) * unit;
    int most = Math.min(MAX_BYTES / Stamp.BYTES, client.model().blockCount() - first) / unit;
    int count = (random.nextInt(3) == 0 ? 1 + random.nextInt(most) : Math.min(most, 1 + random.nextInt(16))) * unit;
    int cluster = world.shape().clusterBytes() / Stamp.BYTES;
    if (op == Op.DEALLOCATE && random.nextInt(4) > 0) {
      // Mostly whole clusters: that is what gives space back.
      first -= first % cluster;
      count = Math.min((1 + random.nextInt(3)) * cluster, client.model().blockCount() - first);
    }
    if (op == Op.WRITE && random.nextInt(3) == 0 && lastCount > 0) {
      // What is written over at once shows who comes late.
      first = lastFirst;
      count = lastCount;
    }
    prepare(op, first, count);
    if (op == Op.WRITE) {
      request.fua = random.nextInt(6) == 0;
      lastFirst = first;
      lastCount = count;
    }
    submit();
  }

  private void prepare(Op op, int first, int count) {
    int bytes = op == Op.FLUSH ? 0 : count * Stamp.BYTES;
    request.prepare(op, op == Op.FLUSH ? 0 : (long) first * Stamp.BYTES, bytes);
    change = null;
    flush = null;
    switch (op) {
      case READ -> memory.asSlice(0, bytes).fill(GARBAGE);
      case WRITE -> {
        VolumeModel.Change write = client.model().write(first, count);
        for (int i = 0; i < count; i++) {
          Stamp.write(memory, (long) i * Stamp.BYTES, write.stamp(first + i));
        }
        change = write;
      }
      case WRITE_ZEROES, DEALLOCATE -> change = client.model().zero(first, count);
      case FLUSH -> flush = client.model().flush();
      case COMPARE -> prepareCompare(first, count);
    }
    if (request.hasData()) {
      scatter(bytes);
    }
    since = client.model().beginRead();
  }

  /** What is compared matches, as far as the model knows what is there; or one byte does not. */
  private void prepareCompare(int first, int count) {
    certain = !client.model().disturbed(first, count, Long.MAX_VALUE);
    matches = random.nextBoolean();
    for (int i = 0; i < count; i++) {
      long stamp = client.model().certain(first + i);
      certain &= stamp != Stamp.MIXED;
      Stamp.write(memory, (long) i * Stamp.BYTES, stamp);
    }
    if (!matches) {
      long at = random.nextLong((long) count * Stamp.BYTES);
      memory.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at,
          (byte) (memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at) ^ ODD));
    }
  }

  /** Memory in pieces of any length. */
  private void scatter(int bytes) {
    int at = 0;
    while (at < bytes) {
      int piece = random.nextInt(3) == 0 ? 1 + random.nextInt(bytes - at) : bytes - at;
      request.sgl.add(memory, at, piece);
      at += piece;
    }
  }

  private void submit() {
    busy = true;
    client.sent();
    world.trace().add(client.name(), "%s", request);
    loop.run(() -> channel.submit(request));
  }

  private void ended(IoRequest ended) {
    try {
      if (!busy) {
        throw new AssertionError(request + " has ended twice");
      }
      busy = false;
      world.trace().add(client.name(), "%s: %s", request, request.status);
      judge();
    } catch (AssertionError e) {
      world.fail(e);
    }
    client.model().endRead();
    world.answered(request);
    think();
  }

  private void judge() {
    VolumeModel model = client.model();
    VolumeModel.Change changed = change;
    VolumeModel.Flush flushed = flush;
    int first = (int) (request.offset / Stamp.BYTES);
    int count = (int) (request.length / Stamp.BYTES);
    boolean compare = request.op == Op.COMPARE;
    boolean success = request.status.isOk();
    if (!success && !(compare && request.status == Status.MISCOMPARE)) {
      world.excuse(client.name() + ": " + request, request.op, request.status);
    }
    if (changed != null) {
      if (success) {
        model.done(changed, request.fua);
      } else {
        model.failed(changed);
      }
    } else if (flushed != null && success) {
      model.flushed(flushed);
    } else if (request.op == Op.READ && success) {
      for (int i = 0; i < count; i++) {
        model.check(first + i, Stamp.read(memory, (long) i * Stamp.BYTES), since);
      }
    } else if (compare && certain && !model.disturbed(first, count, since)
        && (success != matches && (success || request.status == Status.MISCOMPARE))) {
      throw new AssertionError(client.name() + ": " + request + " gave " + request.status + ", but the data "
          + (matches ? "is the same" : "differs"));
    }
  }
}
