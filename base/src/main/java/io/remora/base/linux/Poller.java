package io.remora.base.linux;

/**
 * What a {@link LinuxLoop} waits on: readiness of descriptors, and completion of disk operations. Made, used and closed on the
 * loop's thread; only {@link #wake} may be called from others.
 */
interface Poller extends AutoCloseable {
  /** Waits without end. */
  long FOREVER = -1;

  /** What it is and why it was chosen, for people. */
  String description();

  /** Begins to watch for reading, writing and errors; what is ready already is reported too. */
  void watch(Watched target);

  /** Ends watching; nothing is reported any more, and the descriptor may be closed. */
  void unwatch(Watched target);

  /** Starts the operation that is described in {@code slot}; {@link DiskQueue#finished} is called from a later {@link #poll}. */
  void start(DiskSlot slot);

  /** Hands in what was started, reports what has happened and waits up to {@code timeoutNs} for something; 0 does not wait. */
  int poll(long timeoutNs);

  /** Whether a sleep would miss nothing that has already happened in this process. */
  boolean maySleep();

  /** Ends a wait, or the next one. From any thread. */
  void wake();

  /** Closes all that is watched, because the loop ends. */
  void closeWatched();

  /** Frees everything; nothing is watched and no operation is in flight. */
  @Override
  void close();
}
