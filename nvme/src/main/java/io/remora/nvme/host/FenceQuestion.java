package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Asks a controller which controllers its subsystem has (Identify CNS 13h). Stateless. */
final class FenceQuestion {
  private static final int MAX_IDS = 2047;

  private FenceQuestion() {}

  /** Tells {@code fence} who is alive; the future says whether none of the old ones is. */
  static CompletableFuture<Boolean> ask(Association association, Fence fence) {
    MemorySegment list = association.allocate(4096);
    return association.admin()
        .submit(AdminCommand.identify(AdminCommand.CNS_CONTROLLERS, 0, fence.firstCntlid(), list))
        .thenApply(done -> {
          int count = u16(list, 0);
          List<Integer> ids = new ArrayList<>();
          for (int i = 0; i < Math.min(count, MAX_IDS); i++) {
            ids.add(u16(list, 2 + 2L * i));
          }
          // A list without ourselves is of no use; a full one may go on.
          boolean listed = ids.contains(association.cntlid()) || association.cntlid() < fence.firstCntlid();
          if (count >= MAX_IDS || !listed) {
            return false;
          }
          fence.alive(ids);
          return fence.isEmpty();
        });
  }
}
