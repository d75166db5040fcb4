package io.remora.block.pool;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.Recording;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.block.BlockChannel;
import io.remora.block.Io;
import io.remora.block.pool.VolumeModel.Change;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Random work on a small pool: several volumes, several requests in flight from up to four loops, one control operation at a time, out
 * of space now and then; and a model that knows what may be there after a crash at any point of it.
 */
final class PoolWorkload {
  static final int CLUSTER = 64 << 10;
  static final int BLOCK = VolumeModel.BLOCK;
  static final int MAX_BLOCKS = 5 * CLUSTER / BLOCK;
  static final Path SECOND = Path.of("/pool/1");
  /** A disk that comes while the pool is in use. */
  static final Path ADDED = Path.of("/pool/added");

  /** A volume that is there, with its channels. */
  private static final class Active {
    final VolumeModel model;
    final Volume volume;
    /** One for each loop; null until it has been opened. */
    final @Nullable BlockChannel[] channels;
    int blocks;
    int running;
    boolean busy;

    Active(VolumeModel model, Volume volume, int loops) {
      this.model = model;
      this.volume = volume;
      this.channels = new BlockChannel[loops];
      this.blocks = (int) (volume.sizeBytes() / BLOCK);
    }
  }

  final long seed;
  final PoolWorld world;
  final RandomGenerator random;
  final List<Path> paths = new ArrayList<>();
  final List<VolumeModel> models = new ArrayList<>();
  final Recording recording;
  final Pool pool;
  private final List<Active> active = new ArrayList<>();
  private final int requests;
  private final int inFlight;
  private int started;
  private int ended;
  private int volumes;
  private boolean controlling;
  int noSpace;
  /** Since when the added disk belongs to the pool for good. */
  int addedSince = VolumeModel.NEVER;
  private boolean adding;

  /** {@code requests} of them, {@code inFlight} at once. */
  PoolWorkload(long seed, int requests, int inFlight) {
    this.seed = seed;
    this.requests = requests;
    this.inFlight = inFlight;
    this.world = new PoolWorld(seed, 1 + Math.floorMod(seed / 2, 4));
    this.random = world.sim.random();
    configure(world.machine, seed);
    paths.add(PoolWorld.DISK);
    if (seed % 3 == 0) {
      paths.add(SECOND);
    }
    long bytes = (1 << 20) + (paths.size() > 1 ? 9L : 14L) * CLUSTER;
    if (seed % 4 == 1) {
      // A disk that is full of old data, of a size that does not change.
      paths.forEach(path -> world.machine.disk().device(path, bytes).write(0, Io.filled((int) bytes, 0xEE)));
    }
    this.pool = world.await(() -> Pool.create(world.loop, new PoolConfig("p", PoolWorld.uuid(1),
        paths.stream().map(path -> new PoolConfig.DiskSpec(path, seed % 4 == 1 ? 0 : bytes)).toList(), CLUSTER,
        false)));
    this.recording = world.machine.disk().record();
  }

  /** How the disks of {@code seed} behave, in this life and in those after crashes. */
  static void configure(SimMachine machine, long seed) {
    machine.disk().blockSize(seed % 2 == 0 ? 512 : 4096);
    machine.disk().canDeallocate(seed % 5 != 0);
    // Where there are two disks, they have different block sizes.
    machine.disk().file(SECOND).blockSize(seed % 2 == 0 ? 4096 : 512);
  }

  void run() {
    for (int i = 0; i < 3; i++) {
      create();
      world.sim.runUntil(() -> !controlling, Io.LIMIT_NS);
    }
    world.loop.run(() -> {
      for (int i = 0; i < inFlight; i++) {
        next();
      }
    });
    world.sim.runUntil(() -> ended >= requests && !controlling, Io.LIMIT_NS);
  }

  int point() {
    return recording.size();
  }

  private void next() {
    if (started >= requests) {
      return;
    }
    started++;
    if (!controlling && random.nextInt(12) == 0) {
      control();
    }
    Active on = active.isEmpty() ? null : active.get(random.nextInt(active.size()));
    if (on == null || on.busy) {
      read(null);
      return;
    }
    switch (random.nextInt(16)) {
      case 0, 1, 2 -> flush(on);
      case 3, 4 -> read(on);
      case 5 -> change(on, Op.WRITE_ZEROES, false);
      case 6, 7, 8 -> change(on, Op.DEALLOCATE, random.nextInt(4) == 0);
      case 9 -> change(on, Op.WRITE, true);
      default -> change(on, Op.WRITE, false);
    }
  }

  private int blocksOfDisk() {
    return pool.blockSize() / BLOCK;
  }

  private void change(Active on, Op op, boolean fua) {
    int unit = on.volume.blockSize() / BLOCK;
    int perCluster = CLUSTER / BLOCK;
    int first = random.nextInt(on.blocks / unit) * unit;
    int count = (1 + random.nextInt(Math.min(300, on.blocks - first) / unit)) * unit;
    if (op == Op.DEALLOCATE && random.nextInt(3) > 0) {
      // Mostly whole clusters: that is what gives space back.
      first -= first % perCluster;
      count = Math.min((1 + random.nextInt(2)) * perCluster, on.blocks - first);
    }
    change(on, op, first, count, fua);
  }

  private void change(Active on, Op op, int first, int count, boolean fua) {
    long value = op == Op.WRITE ? on.model.number * 100_000L + started : 0;
    submit(on, op, first, count, value, fua, () -> {
      Change change = on.model.begin(first, count, value, point());
      return status -> {
        if (status.isOk()) {
          on.model.completed(change, point(), fua);
        } else {
          assertThat(status).as("%s of %s", op, on.model.name).isEqualTo(Status.NO_SPACE);
          noSpace++;
        }
      };
    });
  }

  private void flush(Active on) {
    submit(on, Op.FLUSH, 0, 0, 0, false, () -> {
      List<Change> covered = on.model.completedChanges();
      return status -> {
        assertThat(status).isEqualTo(Status.OK);
        on.model.flushed(covered, point());
      };
    });
  }

  private void read(@Nullable Active on) {
    if (on == null) {
      world.sim.schedule(20_000, () -> world.loop.execute(this::oneEnded));
      return;
    }
    int unit = on.volume.blockSize() / BLOCK;
    int first = random.nextInt(on.blocks / unit) * unit;
    int count = (1 + random.nextInt(Math.min(300, on.blocks - first) / unit)) * unit;
    submit(on, Op.READ, first, count, -1, false, () -> status -> assertThat(status).isEqualTo(Status.OK));
  }

  /** Submits from any loop; {@code begin} is called there just before and gives who hears of the end. */
  private void submit(Active on, Op op, int first, int count, long value, boolean fua,
      Supplier<Consumer<Status>> begin) {
    on.running++;
    int index = random.nextInt(world.loops.size());
    BlockChannel channel = on.channels[index];
    if (index == 0 || channel == null) {
      submit(on, requireNonNull(on.channels[0]), op, first, count, value, fua, begin);
    } else {
      world.loops.get(index).execute(() -> submit(on, channel, op, first, count, value, fua, begin));
    }
  }

  private void submit(Active on, BlockChannel channel, Op op, int first, int count, long value, boolean fua,
      Supplier<Consumer<Status>> begin) {
    long submitted = on.model.tick();
    Consumer<Status> note = begin.get();
    MemorySegment memory = op == Op.READ || op == Op.WRITE
        ? Arena.ofAuto().allocate((long) count * BLOCK, 8)
        : MemorySegment.NULL;
    for (long i = 0; op == Op.WRITE && i < memory.byteSize(); i += 8) {
      memory.set(ValueLayout.JAVA_LONG, i, value);
    }
    IoRequest request = new IoRequest(done -> {
      on.running--;
      note.accept(done.status);
      for (int i = 0; op == Op.READ && i < count; i++) {
        assertThat(on.model.readable(first + i, submitted)).as("block %d of %s", first + i, on.model.name)
            .contains(memory.get(ValueLayout.JAVA_LONG, (long) i * BLOCK));
      }
      if (channel.loop() == world.loop) {
        oneEnded();
      } else {
        world.loop.execute(this::oneEnded);
      }
    }).prepare(op, (long) first * BLOCK, (long) count * BLOCK);
    request.fua = fua;
    if (memory.byteSize() > 0) {
      request.sgl.add(memory, 0, memory.byteSize());
    }
    channel.submit(request);
  }

  private void oneEnded() {
    ended++;
    next();
  }

  // Control operations.

  private void control() {
    Optional<Active> idle = active.stream().filter(each -> each.running == 0).findFirst();
    int what = random.nextInt(7);
    if (what == 0 && active.size() < 5) {
      create();
    } else if (what == 1 && idle.isPresent() && active.size() > 1) {
      delete(idle.get());
    } else if (what == 6 && !adding && started > requests / 4) {
      adding = true;
      controlling = true;
      finish(pool.addDisk(new PoolConfig.DiskSpec(ADDED, (1 << 20) + 11L * CLUSTER), false)
          .thenRun(() -> addedSince = point()));
    } else if (what == 2 && seed % 4 == 1) {
      // A device has become larger.
      Path path = paths.get(random.nextInt(paths.size()));
      long now = world.machine.disk().file(path).sizeBytes();
      if (now < (1 << 20) + 24L * CLUSTER) {
        world.machine.disk().file(path).resize(now + 5L * CLUSTER);
        controlling = true;
        finish(pool.grow());
      }
    } else if (what == 2) {
      Path path = paths.get(random.nextInt(paths.size()));
      long now = world.machine.disk().file(path).sizeBytes();
      if (now < (1 << 20) + 24L * CLUSTER) {
        controlling = true;
        finish(pool.grow(path, now + 5L * CLUSTER));
      }
    } else if (!active.isEmpty()) {
      resize(active.get(random.nextInt(active.size())));
    }
  }

  private <T extends @Nullable Object> void finish(CompletableFuture<T> future) {
    future.whenComplete((_, failure) -> {
      controlling = false;
      if (failure != null) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        assertThat(cause).isInstanceOfSatisfying(RemoraException.class,
            e -> assertThat(e.status()).isIn(Status.NO_SPACE, Status.NO_RESOURCES));
      }
    });
  }

  private void create() {
    controlling = true;
    int number = ++volumes;
    VolumeModel model = new VolumeModel("v" + number, number, MAX_BLOCKS);
    int unit = Math.max(1, blocksOfDisk());
    long size = (long) (1 + random.nextInt(MAX_BLOCKS / unit)) * unit * BLOCK;
    boolean thin = random.nextInt(3) > 0;
    Change there = model.beginPresence(true, point());
    Change sized = model.beginSize(size, point());
    models.add(model);
    Runnable begin = () -> finish(pool.createVolume(new VolumeSpec(model.name, PoolWorld.uuid(number), size,
        pool.blockSize(), thin, Map.of())).whenComplete((volume, failure) -> {
          if (failure == null) {
            there.done(point(), true);
            sized.done(point(), true);
            active.add(open(model, volume));
          } else {
            models.remove(model);
          }
        }));
    if (world.loop.inLoop()) {
      begin.run();
    } else {
      world.loop.run(begin);
    }
  }

  private Active open(VolumeModel model, Volume volume) {
    Active opened = new Active(model, volume, world.loops.size());
    opened.channels[0] = volume.open(world.loop);
    for (int i = 1; i < world.loops.size(); i++) {
      int index = i;
      SimLoop loop = world.loops.get(i);
      loop.execute(() -> opened.channels[index] = volume.open(loop));
    }
    return opened;
  }

  private void delete(Active on) {
    controlling = true;
    active.remove(on);
    CompletableFuture<Void> closed = CompletableFuture.completedFuture(null);
    for (int i = world.loops.size() - 1; i >= 0; i--) {
      int index = i;
      closed = closed.thenRunAsync(() -> {
        BlockChannel channel = on.channels[index];
        if (channel != null) {
          channel.close();
        }
      }, world.loops.get(i));
    }
    finish(closed.thenCompose(_ -> {
      Change gone = on.model.beginPresence(false, point());
      return pool.delete(on.volume).thenRun(() -> gone.done(point(), true));
    }));
  }

  private void resize(Active on) {
    int unit = on.volume.blockSize() / BLOCK;
    int blocks = (1 + random.nextInt(MAX_BLOCKS / unit)) * unit;
    int before = on.blocks;
    // The model does not know requests that a shrinking volume cuts off.
    if (on.busy || (on.running > 0 && blocks < before)) {
      return;
    }
    controlling = true;
    on.busy = blocks < before;
    Change sized = on.model.beginSize((long) blocks * BLOCK, point());
    Change cut = blocks < before
        ? on.model.begin(blocks, before - blocks, 0, point())
        : on.model.begin(0, 0, 0, point());
    CompletableFuture<Void> future = pool.resize(on.volume, (long) blocks * BLOCK).whenComplete((_, failure) -> {
      on.busy = false;
      if (failure == null) {
        on.blocks = blocks;
        sized.done(point(), true);
        cut.done(point(), true);
      } else {
        on.model.beginSize((long) before * BLOCK, point()).done(point(), true);
      }
    });
    finish(future);
  }
}
