package io.remora.verbs.shm;

/**
 * The keys of a protection domain as its peers see them: a table of places of 64 bytes in memory that only its owner can write. A key stands within {@link #MAX_PROBES} places from where its
 * index hashes to.
 *
 * <pre>
 *   0   {@link #VALID} and the key; 0 while it names nothing
 *   8   what peers call the first byte
 *   16  length in bytes
 *   24  rights, bits of Access
 *   32  the number of the queue pair whose peer may use it; 0: any of the domain
 *   40  the number of the piece of shared memory in which it lies
 *   48  where in that piece it begins, in bytes
 * </pre>
 */
final class KeyLayout {
  static final int PLACES = 1 << 15;
  static final int MAX_PROBES = 64;
  static final long PLACE_BYTES = 64;
  static final long BYTES = PLACES * PLACE_BYTES;
  static final long VALID = 1L << 32;
  static final long WORD = 0;
  static final long ADDRESS = 8;
  static final long LENGTH = 16;
  static final long RIGHTS = 24;
  static final long USER = 32;
  static final long SEGMENT = 40;
  static final long OFFSET = 48;

  private KeyLayout() {}

  static long word(int key) {
    return VALID | (key & 0xffff_ffffL);
  }

  /** Where place {@code probe} of {@code key} is. */
  static long at(int key, int probe) {
    int home = ((key >>> 8) * 0x9E3779B1) >>> 17;
    return (home + probe & PLACES - 1) * PLACE_BYTES;
  }
}
