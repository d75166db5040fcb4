package io.remora.sim;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.SimFile;
import io.remora.base.sim.SimMachine;
import io.remora.engine.DiskChoice;
import io.remora.engine.Node;
import io.remora.engine.PoolInfo;
import io.remora.engine.VolumeInfo;
import io.remora.nvme.target.TargetConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The node's process through all its lives, and the commands it is given. Belongs to the simulation's thread; methods are called outside
 * of all loops.
 */
final class NodeProcess {
  static final String POOL = "main";
  private static final Path FOLDER = Path.of("/data");
  private static final int PORT = 4420;
  private static final long SECOND = 1_000_000_000L;

  private final World world;
  private final SimMachine machine;
  private final TargetConfig bounds;
  private @Nullable Node node;
  private int life;
  private int commands;

  NodeProcess(World world, SimMachine machine) {
    this.world = world;
    this.machine = machine;
    this.bounds = TargetConfig.DEFAULT.withMemory(32L << 20, 8L << 20).withQueues(8, 64);
  }

  SimMachine machine() {
    return machine;
  }

  InetSocketAddress address() {
    return new InetSocketAddress(machine.address(), PORT);
  }

  /** The pool's disks. */
  List<Path> disks() {
    List<Path> paths = new ArrayList<>();
    for (int i = 0; i < world.shape().disks(); i++) {
      paths.add(Path.of("/disk/" + i));
    }
    return paths;
  }

  /** The same, with their faults. */
  List<SimFile> files() {
    return disks().stream().map(path -> machine.disk().file(path)).toList();
  }

  List<DiskChoice> choices() {
    return disks().stream().map(path -> new DiskChoice(path, world.shape().diskBytes())).toList();
  }

  /** Whether it serves. */
  boolean up() {
    return node != null;
  }

  /** Whether a command is under way. */
  boolean commanded() {
    return commands > 0;
  }

  /** Begins a new life. */
  void start() {
    life++;
    int mine = life;
    List<Loop> loops = List.copyOf(machine.start(world.shape().nodeLoops()));
    world.trace().add("node", "starts, life %d", mine);
    Node.open(loops, Node.Config.of(FOLDER, address()).withTarget(bounds)).whenComplete((opened, failure) -> {
      if (life == mine) {
        world.schedule(0, () -> {
          if (life == mine) {
            started(opened, failure);
          }
        });
      }
    });
  }

  private void started(@Nullable Node opened, @Nullable Throwable failure) {
    if (opened == null) {
      world.trace().add("node", "cannot start: %s", failure);
      if (!world.disksAreBad()) {
        throw new AssertionError("the node does not start: " + failure, failure);
      }
      kill();
      startIn(SECOND);
      return;
    }
    node = opened;
    world.trace().add("node", "serves");
    world.onNodeUp();
  }

  /** Begins a new life after a while, unless there is one by then. */
  void startIn(long delayNs) {
    int last = life;
    world.schedule(delayNs, () -> {
      if (life == last && !machine.running()) {
        start();
      }
    });
  }

  /** SIGKILL. */
  void kill() {
    world.trace().add("node", "killed");
    end();
    machine.kill();
  }

  /** The machine loses its power. */
  void losePower(PowerLoss how) {
    world.trace().add("node", "power lost, %s", how);
    end();
    machine.powerLoss(how);
    world.models().forEach(VolumeModel::powerLost);
  }

  private void end() {
    life++;
    node = null;
    commands = 0;
  }

  /** Stops it in order, as SIGTERM does; then {@code after}. */
  void stop(Runnable after) {
    Node running = node;
    if (running == null) {
      return;
    }
    int mine = life;
    node = null;
    world.trace().add("node", "stops");
    machine.loop(0).call(running::close).whenComplete((_, failure) -> world.schedule(0, () -> {
      if (life == mine) {
        if (failure != null && !world.disksAreBad()) {
          throw new AssertionError("the node does not stop in order: " + failure, failure);
        }
        world.trace().add("node", "stopped");
        end();
        machine.kill();
        after.run();
      }
    }));
  }

  /**
   * Gives the node a command. {@code done} and {@code refused} are called outside of all loops; neither is when the command is cut
   * off by the end of the process.
   */
  <T extends @Nullable Object> void command(String what, Function<Node, CompletableFuture<T>> command,
      Consumer<T> done, Consumer<RemoraException> refused) {
    Node running = node;
    if (running == null) {
      return;
    }
    int mine = life;
    commands++;
    world.trace().add("node", "%s", what);
    machine.loop(0).call(() -> command.apply(running)).whenComplete((result, failure) -> world.schedule(0, () -> {
      if (life == mine) {
        commands--;
        world.trace().add("node", "%s: %s", what, failure == null ? "done" : cause(failure).getMessage());
        if (failure == null) {
          done.accept(result);
        } else if (cause(failure) instanceof RemoraException known) {
          refused.accept(known);
        } else {
          throw new AssertionError(what + ": " + failure, failure);
        }
      }
    }));
  }

  /** Gives the node a command that may not fail, and waits for its end. */
  <T extends @Nullable Object> T must(String what, Function<Node, CompletableFuture<T>> command) {
    Node running = node;
    if (running == null) {
      throw new AssertionError(what + ": the node does not run");
    }
    world.trace().add("node", "%s", what);
    return world.await(machine.loop(0).call(() -> command.apply(running)), what);
  }

  /** How its pool is; null while the node does not serve. */
  @Nullable
  PoolInfo pool() {
    Node running = node;
    return running == null ? null : running.pools().stream().findFirst().orElse(null);
  }

  /** Its volumes. */
  List<VolumeInfo> volumes() {
    Node running = node;
    return running == null ? List.of() : running.volumes();
  }

  /** How large a volume is now; 0 when there is none, or while the node does not serve. */
  long sizeOf(String volume) {
    return volumes().stream().filter(each -> each.name().equals(volume)).mapToLong(VolumeInfo::sizeBytes).findFirst()
        .orElse(0);
  }

  private static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
