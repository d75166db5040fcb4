package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.base.LocalSocket;

/** The descriptors that have come with a message of the handshake: each is taken once, and closed with this when nobody has. One thread at a time. */
final class Descriptors implements AutoCloseable {
  /** Of the word that says whether the sender's loop sleeps. */
  static final int SLEEP = 0;
  /** Of the keys of its protection domain. */
  static final int KEYS = 1;
  /** Of the {@link io.remora.base.Doorbell} of its loop. */
  static final int DOORBELL = 2;
  /** Of the connection's control memory; in a request only. */
  static final int CONTROL = 3;

  private final Local local;
  private final int[] all = new int[CONTROL + 1];

  /** All that came with the last message of {@code from}. */
  Descriptors(Local local, LocalSocket from) {
    this.local = local;
    for (int i = 0; i < all.length; i++) {
      all[i] = from.takeDescriptor();
    }
  }

  /** One of them, which is the caller's from now on; -1 when it has not come or was taken. */
  int take(int which) {
    int descriptor = all[which];
    all[which] = -1;
    return descriptor;
  }

  @Override
  public void close() {
    for (int i = 0; i < all.length; i++) {
      int descriptor = take(i);
      if (descriptor >= 0) {
        local.close(descriptor);
      }
    }
  }
}
