package io.remora.nvme.target;

import static io.remora.nvme.target.Layouts.LE32;

import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;

/** The log pages that say what a controller knows: log pages, commands, features (NVMe Base 2.0, 5.16.1.1, .6, .19 and .20). */
final class EffectsLogs {
  private static final int SUPPORTED = 1;
  private static final int CHANGES_CONTENT = 1 << 1;
  /** To what a command reaches, in bits 31..20. */
  private static final int NAMESPACE = 1 << 20;
  private static final int CONTROLLER = 1 << 21;
  private static final int IO = 1024;

  private static final int[] IO_LOGS = {LogPages.SUPPORTED_LOGS, LogPages.ERRORS, LogPages.SMART, LogPages.FIRMWARE,
    LogPages.CHANGED_NAMESPACES, LogPages.EFFECTS, LogPages.ANA, LogPages.FEATURES, LogPages.MANAGEMENT};
  private static final int[] DISCOVERY_LOGS = {LogPages.SUPPORTED_LOGS, LogPages.DISCOVERY};

  private static final int[] ADMIN = {Opcode.GET_LOG_PAGE, Opcode.IDENTIFY, Opcode.ABORT, Opcode.SET_FEATURES,
    Opcode.GET_FEATURES, Opcode.ASYNC_EVENT_REQUEST, Opcode.KEEP_ALIVE, Opcode.FABRICS};

  private EffectsLogs() {}

  /** Log page 00. */
  static MemorySegment logs(boolean discovery) {
    MemorySegment page = MemorySegment.ofArray(new byte[1024]);
    for (int log : discovery ? DISCOVERY_LOGS : IO_LOGS) {
      page.set(LE32, 4L * log, SUPPORTED);
    }
    return page;
  }

  /** Log page 05 of command set {@code set}; those but NVM (0) have no I/O commands here. */
  static MemorySegment commands(int set) {
    MemorySegment page = MemorySegment.ofArray(new byte[4096]);
    for (int opcode : ADMIN) {
      page.set(LE32, 4L * opcode, SUPPORTED | CONTROLLER);
    }
    for (int opcode = 0; opcode < 256; opcode++) {
      if (set == 0 && IoCommands.known(opcode)) {
        int content = IoCommands.changes(opcode) ? CHANGES_CONTENT : 0;
        page.set(LE32, IO + 4L * opcode, SUPPORTED | NAMESPACE | content);
      }
    }
    // Connect and Disconnect.
    page.set(LE32, IO + 4L * Opcode.FABRICS, SUPPORTED | CONTROLLER);
    return page;
  }

  /** Log page 12. */
  static MemorySegment features() {
    MemorySegment page = MemorySegment.ofArray(new byte[1024]);
    for (Feature feature : Feature.values()) {
      page.set(LE32, 4L * feature.id, feature.effects());
    }
    return page;
  }

  /** Log page 13: commands of the management interface, of which there is none. */
  static MemorySegment management() {
    return MemorySegment.ofArray(new byte[1024]);
  }
}
