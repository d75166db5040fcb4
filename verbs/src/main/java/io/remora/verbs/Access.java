package io.remora.verbs;

/** What may be done with registered memory: bits, as in {@code ibv_access_flags}. No bit: this end may read it (send, write from it). */
public final class Access {
  /** This end's adapter may write it: receives, and the sinks of reads and atomics. */
  public static final int LOCAL_WRITE = 1;
  /** The peer may write it. Needs {@link #LOCAL_WRITE}. */
  public static final int REMOTE_WRITE = 1 << 1;
  /** The peer may read it. */
  public static final int REMOTE_READ = 1 << 2;
  /** The peer may compare and swap, and fetch and add, in it. Needs {@link #LOCAL_WRITE}. */
  public static final int REMOTE_ATOMIC = 1 << 3;
  /** Memory windows may be bound to it. */
  public static final int WINDOW_BIND = 1 << 4;

  /** All that the peer may do. */
  static final int REMOTE = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;
  private static final int ALL = LOCAL_WRITE | REMOTE | WINDOW_BIND;

  private Access() {}

  /** Whether {@code access} is a combination that a memory region may have. */
  public static boolean valid(int access) {
    return (access & ~ALL) == 0
        && ((access & (REMOTE_WRITE | REMOTE_ATOMIC)) == 0 || (access & LOCAL_WRITE) != 0);
  }

  /** For people: {@code local-write,remote-read}. */
  public static String text(int access) {
    StringBuilder text = new StringBuilder("local-read");
    append(text, access, LOCAL_WRITE, "local-write");
    append(text, access, REMOTE_WRITE, "remote-write");
    append(text, access, REMOTE_READ, "remote-read");
    append(text, access, REMOTE_ATOMIC, "remote-atomic");
    append(text, access, WINDOW_BIND, "window-bind");
    return text.toString();
  }

  private static void append(StringBuilder text, int access, int bit, String name) {
    if ((access & bit) != 0) {
      text.append(',').append(name);
    }
  }
}
