package io.remora.nvme;

import org.jspecify.annotations.Nullable;

/** How well a namespace can be reached through one controller: asymmetric namespace access (NVMe Base 2.0, 8.1). */
public enum AnaState {
  /** The best path. */
  OPTIMIZED(0x1, NvmeStatus.SUCCESS),
  /** A path that works, and a worse one than others. */
  NON_OPTIMIZED(0x2, NvmeStatus.SUCCESS),
  /** No I/O here now; another path may do it. */
  INACCESSIBLE(0x3, NvmeStatus.ANA_INACCESSIBLE),
  /** No I/O here, and never again. */
  PERSISTENT_LOSS(0x4, NvmeStatus.ANA_PERSISTENT_LOSS),
  /** Between two states, for a moment. */
  CHANGE(0xF, NvmeStatus.ANA_TRANSITION);

  private final int code;
  private final int ioStatus;

  AnaState(int code, int ioStatus) {
    this.code = code;
    this.ioStatus = ioStatus;
  }

  /** Its value in the log page, 1 to 15. */
  public int code() {
    return code;
  }

  /** What I/O commands are answered, as in {@link NvmeStatus}; success when they are carried out. */
  public int ioStatus() {
    return ioStatus;
  }

  /** Whether I/O commands are carried out. */
  public boolean accessible() {
    return ioStatus == NvmeStatus.SUCCESS;
  }

  /** The state of that value; null when there is none. */
  public static @Nullable AnaState of(int code) {
    for (AnaState state : values()) {
      if (state.code == code) {
        return state;
      }
    }
    return null;
  }
}
