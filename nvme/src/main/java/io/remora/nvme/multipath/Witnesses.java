package io.remora.nvme.multipath;

import io.remora.base.Timer;
import io.remora.nvme.host.HostController;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds out by way of living paths that the controller of a lost one is dead, so that what it had may be sent again at once instead of
 * when its keep-alive must have run out. Belongs to the device's first loop.
 *
 * <p>A path is a witness of a controller when its own controller has listed it (Identify CNS 13h) while it was alive: then it is of
 * the same target, and when it lists it no more, it is gone. A target that never listed it says nothing by not listing it.
 */
final class Witnesses {
  private static final long POLL_NS = 100_000_000;

  private final MultipathDevice device;
  private final Timer timer;
  private final Map<Path, Set<Integer>> seen = new LinkedHashMap<>();
  private Set<Integer> known = Set.of();

  Witnesses(MultipathDevice device) {
    this.device = device;
    this.timer = device.loop().timer(this::ask);
  }

  /** Paths have come, gone or changed. */
  void update(List<Path> paths) {
    Set<Integer> living = new HashSet<>();
    for (Path path : paths) {
      if (path.live()) {
        living.add(path.status().cntlid());
      }
    }
    seen.keySet().removeIf(path -> !path.live());
    boolean more = !known.containsAll(living);
    known = living;
    for (Path path : paths) {
      HostController controller = path.controller();
      if (path.live() && controller != null && living.size() > 1 && (more || !seen.containsKey(path))) {
        seen.computeIfAbsent(path, p -> new HashSet<>());
        controller.siblings().thenAccept(ids -> note(path, ids));
      }
    }
    if (!timer.armed() && paths.stream().anyMatch(Witnesses::hasSuspects)) {
      timer.arm(0);
    }
  }

  private void note(Path path, Set<Integer> ids) {
    Set<Integer> listed = seen.get(path);
    if (listed != null) {
      for (int id : ids) {
        if (known.contains(id)) {
          listed.add(id);
        }
      }
    }
  }

  private static boolean hasSuspects(Path path) {
    HostController controller = path.controller();
    return controller != null && !controller.suspects().isEmpty();
  }

  private void ask() {
    boolean suspects = false;
    for (Path lost : device.allPaths()) {
      HostController controller = lost.controller();
      if (controller == null) {
        continue;
      }
      for (int cntlid : controller.suspects()) {
        suspects = true;
        seen.forEach((witness, listed) -> {
          if (witness != lost && listed.contains(cntlid)) {
            ask(witness, controller, cntlid);
          }
        });
      }
    }
    if (suspects) {
      timer.arm(POLL_NS);
    }
  }

  private static void ask(Path witness, HostController lost, int cntlid) {
    HostController controller = witness.controller();
    if (controller == null) {
      return;
    }
    int own = witness.status().cntlid();
    controller.siblings().thenAccept(ids -> {
      // A list without the one that gives it is of no use.
      if (ids.contains(own) && !ids.contains(cntlid)) {
        lost.declareDead(cntlid);
      }
    });
  }

  void close() {
    timer.cancel();
  }
}
