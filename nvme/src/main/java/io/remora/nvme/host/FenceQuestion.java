package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;

import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Asks a controller which controllers its subsystem has (Identify CNS 13h). Stateless. */
final class FenceQuestion {
  private static final int MAX_IDS = 2047;

  private FenceQuestion() {}

  /** Tells {@code fence} who is alive; the future says whether none of the old ones is. */
  static CompletableFuture<Boolean> ask(Association association, Fence fence) {
    int first = fence.firstCntlid();
    return controllers(association, first).thenApply(ids -> {
      // A list without ourselves is of no use.
      if (!ids.contains(association.cntlid()) && association.cntlid() >= first) {
        return false;
      }
      fence.alive(List.copyOf(ids));
      return fence.isEmpty();
    });
  }

  /** The identifiers from {@code first} on of all controllers; empty when there are too many for one list. */
  static CompletableFuture<Set<Integer>> controllers(Association association, int first) {
    MemorySegment list = association.allocate(4096);
    return association.admin().submit(AdminCommand.identify(AdminCommand.CNS_CONTROLLERS, 0, first, list))
        .thenApply(done -> {
          int count = u16(list, 0);
          Set<Integer> ids = new HashSet<>();
          // A full list may go on elsewhere.
          for (int i = 0; i < count && count < MAX_IDS; i++) {
            ids.add(u16(list, 2 + 2L * i));
          }
          return ids;
        });
  }
}
