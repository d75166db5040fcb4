package io.remora.nvme.multipath;

/** How a path is doing. */
public enum PathState {
  /** No connection yet, or none any more; tried again with growing delays. */
  CONNECTING,
  /** Connected; takes requests unless ANA forbids it. */
  LIVE,
  /** It leads to something else than the other paths do: not used. For good. */
  REFUSED,
  /** Taken out of use: what was sent is being waited for. */
  LEAVING
}
