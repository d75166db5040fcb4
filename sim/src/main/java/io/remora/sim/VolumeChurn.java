package io.remora.sim;

import io.remora.base.Status;
import io.remora.engine.VolumeInfo;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes and deletes volumes beside those that are used. */
final class VolumeChurn implements Enemy {
  private static final int FIRST_NUMBER = 1000;
  private static final String PREFIX = "churn";

  private int made;

  @Override
  public String name() {
    return "volumes come and go";
  }

  @Override
  public long meanPauseNs() {
    return 50_000_000L;
  }

  @Override
  public void strike(World world) {
    RandomGenerator random = world.random();
    List<String> there = world.node().volumes().stream().map(VolumeInfo::name)
        .filter(name -> name.startsWith(PREFIX)).toList();
    if (there.isEmpty() || random.nextInt(3) > 0) {
      create(world, random);
    } else {
      delete(world, there.get(random.nextInt(there.size())));
    }
  }

  private void create(World world, RandomGenerator random) {
    if (!world.node().up()) {
      return;
    }
    int number = ++made;
    String name = PREFIX + number;
    long size = ((1 + random.nextInt(40)) * 32L) << 10;
    boolean thick = random.nextBoolean();
    world.catalog().begin(name, size);
    world.node().command("create " + name,
        node -> node.createVolume(NodeProcess.POOL, name, World.uuid(FIRST_NUMBER + number), size, thick),
        _ -> world.catalog().done(name, size), failure -> {
          if (failure.status() == Status.NO_SPACE || failure.status() == Status.NO_RESOURCES) {
            world.catalog().done(name, Catalog.ABSENT);
          } else {
            world.refused(failure);
          }
        });
  }

  private void delete(World world, String name) {
    world.catalog().begin(name, Catalog.ABSENT);
    world.node().command("delete " + name, node -> node.deleteVolume(name),
        _ -> world.catalog().done(name, Catalog.ABSENT), failure -> {
          if (failure.status() != Status.NOT_FOUND) {
            world.refused(failure);
          }
        });
  }
}
