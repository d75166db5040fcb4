package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;

/** The properties of a controller (NVMe Base 2.0, 3.1.4), what registers are on PCIe; belongs to its loop. */
final class Properties {
  static final int CAP = 0x0;
  static final int VS = 0x8;
  static final int CC = 0x14;
  static final int CSTS = 0x1C;

  /** NVMe 1.4. */
  static final int VERSION = 0x0001_0400;

  private static final int CC_ENABLE = 1;
  private static final int CC_SHUTDOWN = 3 << 14;
  private static final int CSTS_READY = 1;
  private static final int CSTS_FATAL = 1 << 1;
  private static final int CSTS_SHUTDOWN_COMPLETE = 2 << 2;
  private static final int TIMEOUT_HALF_SECONDS = 15;

  private final Controller controller;
  private final long cap;
  private int cc;
  private int csts;
  /** What the host has asked for and CSTS does not say yet. However often it changes its mind, {@link #settle} is waited for once. */
  private boolean enables;
  private boolean disables;
  private boolean shutsDown;
  private boolean settling;

  Properties(Controller controller, int queueEntries) {
    this.controller = controller;
    // CQR, TO, command sets: NVM (bit 37) and "one or more, see Identify" (bit 43). Pages of 4 KiB only.
    this.cap = (queueEntries - 1) | 1L << 16 | (long) TIMEOUT_HALF_SECONDS << 24 | 1L << 37 | 1L << 43;
  }

  boolean enabled() {
    return (cc & CC_ENABLE) != 0;
  }

  boolean ready() {
    return (csts & CSTS_READY) != 0;
  }

  /** Whether I/O queues may be connected. */
  boolean takesQueues() {
    return ready() && enabled() && (cc & CC_SHUTDOWN) == 0;
  }

  /** The controller has failed for good. */
  void fail() {
    csts |= CSTS_FATAL;
  }

  /** Whether property {@code offset} may be read with that size. */
  int checkGet(int offset, boolean eightBytes) {
    boolean known = switch (offset) {
      case CAP -> eightBytes;
      case VS, CC, CSTS -> !eightBytes;
      default -> false;
    };
    return known ? NvmeStatus.SUCCESS : NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
  }

  /** The value of a property for which {@link #checkGet} holds. */
  long get(int offset) {
    return switch (offset) {
      case CAP -> cap;
      case VS -> VERSION;
      case CC -> cc & 0xffff_ffffL;
      default -> csts & 0xffff_ffffL;
    };
  }

  /** Writes a property. */
  int set(int offset, boolean eightBytes, int value) {
    if (offset != CC || eightBytes) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    int before = cc;
    cc = value;
    if (rises(before, value, CC_ENABLE)) {
      enables = true;
      shutsDown = false;
    }
    if (rises(value, before, CC_ENABLE)) {
      controller.reset();
      disables = true;
      shutsDown = false;
    }
    if ((value & CC_SHUTDOWN) != 0 && (before & CC_SHUTDOWN) == 0) {
      controller.shutDown();
      shutsDown = true;
    } else if ((value & CC_SHUTDOWN) == 0 && (before & CC_SHUTDOWN) != 0) {
      csts &= ~CSTS_SHUTDOWN_COMPLETE;
    }
    if ((enables || disables || shutsDown) && !settling) {
      settling = true;
      controller.whenQuiet(this::settle);
    }
    return NvmeStatus.SUCCESS;
  }

  /** What CSTS says holds: the host relies on it that nothing is carried out any more. */
  private void settle() {
    settling = false;
    if (disables) {
      disables = false;
      csts &= ~(CSTS_READY | CSTS_SHUTDOWN_COMPLETE);
    }
    if (enables) {
      enables = false;
      enable();
    }
    if (shutsDown && (cc & CC_SHUTDOWN) != 0) {
      csts |= CSTS_SHUTDOWN_COMPLETE;
    }
    shutsDown = false;
  }

  private static boolean rises(int before, int after, int bit) {
    return (before & bit) == 0 && (after & bit) != 0;
  }

  /** Entries of 64 and 16 bytes, pages of 4 KiB, round robin, command set NVM or all: anything else is a fatal error. */
  private void enable() {
    if (!enabled()) {
      return;
    }
    int css = cc >> 4 & 7;
    int pageSize = cc >> 7 & 0xf;
    int arbitration = cc >> 11 & 7;
    boolean io = !controller.isDiscovery();
    boolean entriesOk = !io || ((cc >> 16 & 0xf) == 6 && (cc >> 20 & 0xf) == 4);
    if ((css == 0 || css == 6) && pageSize == 0 && arbitration == 0 && entriesOk) {
      csts = CSTS_READY;
      controller.keepAlive().touch();
    } else {
      csts |= CSTS_FATAL;
    }
  }
}
