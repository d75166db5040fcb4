package io.remora.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** All enemies, and which of them a run gets. */
final class Enemies {
  private static final int MOST = 6;
  private static final List<Supplier<Enemy>> ALL = List.of(ConnectionLoss::new, Partition::new, StalledPeer::new,
      ProcessKill::new, PowerCut::new, OrderlyRestart::new, SlowDisk::new, DiskErrors::new, FullDisk::new,
      SlowNetwork::new, ClockJump::new, Detachment::new, VolumeChurn::new, Growth::new,
      // Twice as likely: what they find is worth the most.
      ProcessKill::new, PowerCut::new);

  private Enemies() {}

  /** A few that {@code random} picks; none now and then. */
  static List<Enemy> pick(RandomGenerator random) {
    List<Supplier<Enemy>> left = new ArrayList<>(ALL);
    List<Enemy> picked = new ArrayList<>();
    int count = random.nextInt(MOST + 1);
    for (int i = 0; i < count; i++) {
      picked.add(left.remove(random.nextInt(left.size())).get());
    }
    return picked;
  }
}
