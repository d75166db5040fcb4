package io.remora.engine;

import static io.remora.engine.NodeWorld.MIB;
import static io.remora.engine.NodeWorld.file;
import static io.remora.engine.NodeWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.Recording;
import io.remora.base.sim.SimImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * A crash after every step that reaches a disk, in every command. The node that starts from what is left knows every command that
 * was answered, and the one that was cut off has happened wholly or not at all; and it can go on from there.
 */
class NodeCrashSim {
  private static final long SEED = Long.getLong("seed", 7);

  /** A command of the scenario. */
  private record Step(String name, Function<NodeWorld, CompletableFuture<?>> command) {
    /** A command to the node itself. */
    static Step of(String name, Function<Node, CompletableFuture<?>> command) {
      return new Step(name, world -> world.loop().call(() -> command.apply(world.node())));
    }
  }

  /** What was known when a command had been answered, and how much had reached the disks by then. */
  private record Answered(int point, List<String> view) {}

  private static final List<Step> SCENARIO = List.of(
      Step.of("create pool", node -> node.createPool("main", file("/pool", 64 * MIB), 0, false)),
      Step.of("create pool of two", node -> node.createPool("two",
          List.of(new DiskChoice(Path.of("/a"), 64 * MIB), new DiskChoice(Path.of("/b"), 64 * MIB)), 0, false)),
      Step.of("create volume", node -> node.createVolume("main", "data", uuid(1), 16 * MIB, false)),
      Step.of("create thick", node -> node.createVolume("two", "thick", uuid(2), 8 * MIB, true)),
      Step.of("publish", node -> node.publishVolume("data", null, List.of())),
      new Step("write protect", world -> world.writeProtect(Names.nqn(uuid(1)), world.address(), true)),
      Step.of("allow", node -> node.publishVolume("data", null, List.of("nqn.2014-08.org.example:h"))),
      Step.of("publish thick", node -> node.publishVolume("thick", null, List.of())),
      Step.of("resize", node -> node.resizeVolume("data", 24 * MIB)),
      Step.of("grow pool", node -> node.growPool("main", file("/pool", 96 * MIB))),
      Step.of("allow any", node -> node.publishVolume("data", null, List.of())),
      new Step("take protection back", world -> world.writeProtect(Names.nqn(uuid(1)), world.address(), false)),
      Step.of("unpublish", node -> node.unpublishVolume("data")),
      Step.of("delete", node -> node.deleteVolume("data")),
      Step.of("destroy", node -> node.destroyPool("main")),
      Step.of("unpublish thick", node -> node.unpublishVolume("thick")),
      Step.of("export", node -> node.exportPool("two")),
      Step.of("import", node -> node.importPool(List.of(Path.of("/a"), Path.of("/b")))));

  @Test
  void everyCrashLeavesWhatWasAnsweredAndNothingHalf() {
    List<Answered> answered = new ArrayList<>();
    NodeWorld world = new NodeWorld(SEED);
    Recording recording = world.machine.disk().record();
    answered.add(new Answered(0, world.view()));
    for (Step step : SCENARIO) {
      world.await(step.command.apply(world));
      answered.add(new Answered(recording.size(), world.view()));
    }
    assertThat(recording.size()).as("steps that reach a disk").isGreaterThan(60);
    int done = 0;
    for (int point = 0; point <= recording.size(); point++) {
      while (done < SCENARIO.size() && answered.get(done + 1).point <= point) {
        done++;
      }
      for (PowerLoss how : PowerLoss.values()) {
        check(recording.crashAfter(point, how, SEED + point), answered, done, describe(recording, point, how.name()));
      }
      check(recording.killAfter(point, SEED + point), answered, done, describe(recording, point, "KILL"));
    }
  }

  private static void check(SimImage image, List<Answered> answered, int done, String what) {
    NodeWorld world = new NodeWorld(SEED, image);
    List<String> found = shape(world.view());
    List<String> before = shape(answered.get(done).view);
    List<String> after = shape(answered.get(Math.min(done + 1, SCENARIO.size())).view);
    assertThat(found).as(what).isIn(before, after);
    for (Step step : SCENARIO.subList(done, SCENARIO.size())) {
      try {
        world.await(step.command.apply(world));
      } catch (RemoraException e) {
        // The one that was cut off has happened: what it was to take away is not there.
        boolean repeated = step == SCENARIO.get(done) && found.equals(after) && e.status() == Status.NOT_FOUND;
        assertThat(repeated).as("%s; then '%s' again: %s", what, step.name, e).isTrue();
      }
    }
    assertThat(shape(world.view())).as(what).isEqualTo(shape(answered.getLast().view));
  }

  /** Without the identities of pools, which each life of the scenario chooses anew. */
  private static List<String> shape(List<String> view) {
    return view.stream().map(line -> line.startsWith("pool ") ? line.replaceFirst("[0-9a-f-]{36} ", "") : line)
        .toList();
  }

  private static String describe(Recording recording, int point, String how) {
    return "seed " + SEED + ", " + how + " after step " + point + " (" + recording.describe(point) + ")";
  }
}
