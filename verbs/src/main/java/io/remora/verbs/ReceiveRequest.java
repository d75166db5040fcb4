package io.remora.verbs;

/**
 * A receive work request: memory for one message of a peer's. Reusable like {@link SendRequest}: the object is free after the post, the memory belongs
 * to the device until the receive completes, and needs {@link Access#LOCAL_WRITE}.
 */
public final class ReceiveRequest extends WorkRequest {
  /**
   * So many bytes in front of a received datagram (UD) are the device's, for a global route header or nothing; they count in {@link
   * WorkCompletions#lengthBytes} and need room in the receive.
   */
  public static final int ROUTE_HEADER_BYTES = 40;

  /** A request of up to four pieces. */
  public ReceiveRequest() {
    this(4);
  }

  /** A request of up to {@code maxPieces} pieces, 1 to {@link #MAX_PIECES}. */
  public ReceiveRequest(int maxPieces) {
    super(maxPieces);
  }

  /** What its completion brings back; the caller's own. */
  public ReceiveRequest id(long value) {
    setId(value);
    return this;
  }

  /** Forgets all pieces. A receive without memory is good for immediate data and empty messages. */
  public ReceiveRequest clear() {
    removePieces();
    return this;
  }

  /** Appends {@code length} bytes (0 adds nothing; below 2 GiB) at {@code offset} of {@code region}. */
  public ReceiveRequest add(MemoryRegion region, long offset, int length) {
    addPiece(region, offset, length);
    return this;
  }

  /** The same as {@link #clear} and one {@link #add}. */
  public ReceiveRequest piece(MemoryRegion region, long offset, int length) {
    return clear().add(region, offset, length);
  }
}
