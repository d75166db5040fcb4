package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;

/** How well a namespace can be reached through this target: asymmetric namespace access (NVMe Base 2.0, 8.1). */
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

  final int code;

  /** What I/O commands are answered; success when they are carried out. */
  final int ioStatus;

  AnaState(int code, int ioStatus) {
    this.code = code;
    this.ioStatus = ioStatus;
  }
}
