package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;
import static io.remora.nvme.host.ControllerInfo.u32;
import static io.remora.nvme.host.ControllerInfo.u8;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.AnaState;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Reads the states of a controller's ANA groups (log page 0Ch, NVMe Base 2.0, 5.16.1.13). Stateless; on the controller's first loop. */
final class AnaLog {
  private static final int HEADER_BYTES = 16;
  private static final int GROUP_BYTES = 32;
  private static final int MAX_BYTES = 64 << 10;

  private AnaLog() {}

  /** The states by group. Which namespace is in which group, Identify tells. */
  static CompletableFuture<Map<Integer, AnaState>> read(Association association) {
    ControllerInfo info = association.info();
    long bytes = HEADER_BYTES + (long) info.anaGroups() * GROUP_BYTES;
    if (info.anaGroups() <= 0 || bytes > Math.min(MAX_BYTES, association.maxTransferBytes())) {
      throw new RemoraException(Status.UNSUPPORTED, "controller of " + info.subsystemNqn() + " has "
          + Integer.toUnsignedString(info.anaGroups()) + " ANA groups: 1 to 2047, as many as fit into one transfer");
    }
    MemorySegment log = association.allocate(bytes);
    return association.admin().submit(AdminCommand.anaGroups(log)).thenApply(done -> parse(log, info.anaGroups()));
  }

  /**
   * Reads a log page.
   *
   * @throws RemoraException {@link Status#PROTOCOL_ERROR} when it makes no sense
   */
  static Map<Integer, AnaState> parse(MemorySegment log, int maxGroups) {
    int groups = u16(log, 8);
    require(groups <= maxGroups, "%d groups, more than the %d it may have", groups, maxGroups);
    Map<Integer, AnaState> states = new HashMap<>();
    long at = HEADER_BYTES;
    for (int i = 0; i < groups; i++) {
      require(at + GROUP_BYTES <= log.byteSize(), "group %d of %d is cut off", i + 1, groups);
      int group = u32(log, at);
      long namespaces = u32(log, at + 4) & 0xffff_ffffL;
      AnaState state = AnaState.of(u8(log, at + 16) & 15);
      require(group != 0 && state != null, "group %d has state %xh", group, u8(log, at + 16) & 15);
      assert state != null;
      require(states.put(group, state) == null, "group %d is there twice", group);
      at += GROUP_BYTES + 4 * namespaces;
    }
    return Map.copyOf(states);
  }

  private static void require(boolean holds, String format, Object... args) {
    if (!holds) {
      throw new RemoraException(Status.PROTOCOL_ERROR, "the ANA log page cannot be used: " + format.formatted(args));
    }
  }
}
