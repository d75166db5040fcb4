package io.remora.block.pool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.SimImage;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockDevice;
import io.remora.block.Io;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A simulated machine with disks for pools, and short ways to work with them. */
final class PoolWorld {
  static final int KIB = 1024;
  static final int MIB = 1024 * KIB;
  static final int CLUSTER = 64 * KIB;
  static final Path DISK = Path.of("/pool/0");

  final Simulation sim;
  final SimMachine machine;
  /** The loop of the pools. */
  SimLoop loop;
  /** All loops, that one first. */
  List<SimLoop> loops;

  PoolWorld(long seed) {
    this(seed, 1);
  }

  /** A machine with {@code loops} loops. */
  PoolWorld(long seed, int loops) {
    this(new Simulation(seed), loops);
  }

  private PoolWorld(Simulation sim, int loops) {
    this(sim, sim.machine("a"), loops);
  }

  /** A machine on whose disks is what {@code image} says. */
  static PoolWorld restored(SimImage image, long seed) {
    Simulation sim = new Simulation(seed);
    SimMachine machine = sim.machine("a");
    machine.disk().restore(image);
    return new PoolWorld(sim, machine, 1);
  }

  private PoolWorld(Simulation sim, SimMachine machine, int loops) {
    this.sim = sim;
    this.machine = machine;
    this.loops = machine.start(loops);
    this.loop = this.loops.getFirst();
  }

  static UUID uuid(long number) {
    return new UUID(0x4000, 0x8000_0000_0000_0000L | number);
  }

  <T extends @Nullable Object> T await(Supplier<CompletableFuture<T>> operation) {
    return Io.await(sim, loop.call(operation));
  }

  /** How {@code operation} fails. */
  <T extends @Nullable Object> RemoraException failure(Supplier<CompletableFuture<T>> operation) {
    try {
      await(operation);
    } catch (RemoraException e) {
      return e;
    }
    throw new AssertionError("it did not fail");
  }

  <T extends @Nullable Object> Status refusal(Supplier<CompletableFuture<T>> operation) {
    return failure(operation).status();
  }

  Pool create(long sizeBytes, Path... more) {
    List<PoolConfig.DiskSpec> disks = java.util.stream.Stream.concat(java.util.stream.Stream.of(DISK),
        java.util.Arrays.stream(more)).map(path -> new PoolConfig.DiskSpec(path, sizeBytes)).toList();
    return await(() -> Pool.create(loop, new PoolConfig("p", uuid(1), disks, CLUSTER, false)));
  }

  Pool open(Path... paths) {
    return await(() -> Pool.open(loop, paths.length == 0 ? List.of(DISK) : List.of(paths)));
  }

  Volume thin(Pool pool, String name, long sizeBytes) {
    return await(() -> pool.createVolume(VolumeSpec.thin(name, uuid(name.hashCode()), sizeBytes)));
  }

  Volume thick(Pool pool, String name, long sizeBytes) {
    return await(() -> pool.createVolume(VolumeSpec.thick(name, uuid(name.hashCode()), sizeBytes)));
  }

  Io io(BlockDevice device) {
    return new Io(sim, loop, device);
  }

  Io io(Pool pool, String volume) {
    return io(pool.volume(volume).orElseThrow());
  }

  void closeIo(Io io) {
    loop.run(() -> io.channel().close());
  }

  void powerLoss() {
    machine.powerLoss();
    start();
  }

  void kill() {
    machine.kill();
    start();
  }

  private void start() {
    loops = machine.start(loops.size());
    loop = loops.getFirst();
  }

  /** Lets everything that is under way end. */
  void settle() {
    sim.runFor(60_000_000_000L);
  }
}
