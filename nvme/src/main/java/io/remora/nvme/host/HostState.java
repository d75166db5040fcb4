package io.remora.nvme.host;

/** How a controller is doing, as its host sees it. */
public enum HostState {
  /** The first connection is being made. */
  CONNECTING,
  /** Serving I/O. */
  LIVE,
  /** Something went wrong: what is left of the association is being taken down. */
  RESETTING,
  /** No connection; tried again with growing delays. */
  RECONNECTING,
  /** Given up: the controller-loss time-out has passed, or the first connection failed. For good. */
  FAILED,
  /** Closed by its owner. For good. */
  CLOSED
}
