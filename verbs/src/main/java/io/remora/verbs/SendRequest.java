package io.remora.verbs;

import org.jspecify.annotations.Nullable;

/**
 * A send work request: prepared once, posted many times, with fields that may be changed between posts. Mutable, one thread at a time,
 * allocates nothing after construction.
 *
 * <p>{@link QueuePair#postSend} reads it and keeps nothing of it, so the object itself is free when that returns. The <em>memory</em> that it names belongs to
 * the device from the post to the request's completion; with {@link #inline} the data is copied by the post and the memory is free at once.
 */
public final class SendRequest extends WorkRequest {
  private SendOpcode opcode = SendOpcode.SEND;
  private boolean signalled = true;
  private boolean solicited;
  private boolean fenced;
  private boolean inline;
  private int immediate;
  private int invalidateKey;
  private long remoteAddress;
  private int remoteKey;
  private long compareOrAdd;
  private long swap;
  private @Nullable AddressHandle destination;
  private int destinationQueuePair;
  private int queueKey;
  private @Nullable MemoryWindow window;
  private @Nullable MemoryRegion bound;
  private int bindKey;
  private int bindAccess;
  private long bindOffset;
  private long bindLength;

  /** A request of up to four pieces. */
  public SendRequest() {
    this(4);
  }

  /** A request of up to {@code maxPieces} pieces, 1 to {@link #MAX_PIECES}. */
  public SendRequest(int maxPieces) {
    super(maxPieces);
  }

  // What it does. Each sets the opcode and the fields that go with it; pieces, id and flags stay.

  /** A message. */
  public SendRequest send() {
    opcode = SendOpcode.SEND;
    return this;
  }

  /** A message with 32 bits for the receiver's completion. */
  public SendRequest sendWithImmediate(int value) {
    opcode = SendOpcode.SEND_WITH_IMMEDIATE;
    immediate = value;
    return this;
  }

  /** A message that makes {@code remoteKey} of the receiver's invalid before its completion shows there. */
  public SendRequest sendWithInvalidate(int key) {
    opcode = SendOpcode.SEND_WITH_INVALIDATE;
    invalidateKey = key;
    return this;
  }

  /** Writes the pieces to the peer's memory, {@code address} being what its region or window calls it. */
  public SendRequest write(long address, int key) {
    opcode = SendOpcode.WRITE;
    remoteAddress = address;
    remoteKey = key;
    return this;
  }

  /** Writes, and takes a receive of the peer's for 32 bits. */
  public SendRequest writeWithImmediate(long address, int key, int value) {
    opcode = SendOpcode.WRITE_WITH_IMMEDIATE;
    remoteAddress = address;
    remoteKey = key;
    immediate = value;
    return this;
  }

  /** Reads the peer's memory into the pieces, which need {@link Access#LOCAL_WRITE}. */
  public SendRequest read(long address, int key) {
    opcode = SendOpcode.READ;
    remoteAddress = address;
    remoteKey = key;
    return this;
  }

  /** If the 8 bytes at {@code address}, a multiple of 8, are {@code compare}, they become {@code swap}; what they were goes to the piece. */
  public SendRequest compareAndSwap(long address, int key, long compare, long swap) {
    opcode = SendOpcode.COMPARE_AND_SWAP;
    remoteAddress = address;
    remoteKey = key;
    compareOrAdd = compare;
    this.swap = swap;
    return this;
  }

  /** Adds {@code add} to the 8 bytes at {@code address}, a multiple of 8; what they were goes to the piece. */
  public SendRequest fetchAndAdd(long address, int key, long add) {
    opcode = SendOpcode.FETCH_AND_ADD;
    remoteAddress = address;
    remoteKey = key;
    compareOrAdd = add;
    return this;
  }

  /** Makes {@code key}, of a bound window of this end's, invalid. Pieces do not matter. */
  public SendRequest localInvalidate(int key) {
    opcode = SendOpcode.LOCAL_INVALIDATE;
    invalidateKey = key;
    return this;
  }

  /**
   * Binds {@code window} to {@code length} bytes at {@code offset} of {@code region}, which needs {@link Access#WINDOW_BIND}. Pieces do not matter.
   *
   * @param key the window's key from then on: {@link MemoryWindow#nextKey}
   * @param access of the remote rights of {@link Access}
   */
  public SendRequest bind(MemoryWindow window, int key, MemoryRegion region, long offset, long length, int access) {
    opcode = SendOpcode.BIND_WINDOW;
    this.window = window;
    bindKey = key;
    bound = region;
    bindOffset = offset;
    bindLength = length;
    bindAccess = access;
    return this;
  }

  /** Where a datagram goes. */
  public SendRequest to(AddressHandle address, int queuePair, int key) {
    destination = address;
    destinationQueuePair = queuePair;
    queueKey = key;
    return this;
  }

  // Flags and pieces.

  /** What its completion brings back; the caller's own. */
  public SendRequest id(long value) {
    setId(value);
    return this;
  }

  /** Whether it shows a completion when it succeeds (it does unless told otherwise); a failure always shows one. */
  public SendRequest signalled(boolean value) {
    signalled = value;
    return this;
  }

  /** Whether the receiver's completion is a solicited event: {@link CompletionQueue#requestNotify}. */
  public SendRequest solicited(boolean value) {
    solicited = value;
    return this;
  }

  /** Whether it waits until earlier reads and atomics of the queue pair have completed. */
  public SendRequest fenced(boolean value) {
    fenced = value;
    return this;
  }

  /** Whether the post copies the data; at most {@link DeviceAttributes#maxInlineBytes}. Sends and writes only. */
  public SendRequest inline(boolean value) {
    inline = value;
    return this;
  }

  /** Forgets all pieces. */
  public SendRequest clear() {
    removePieces();
    return this;
  }

  /** Appends {@code length} bytes (0 adds nothing; below 2 GiB) at {@code offset} of {@code region}. */
  public SendRequest add(MemoryRegion region, long offset, int length) {
    addPiece(region, offset, length);
    return this;
  }

  /** The same as {@link #clear} and one {@link #add}. */
  public SendRequest piece(MemoryRegion region, long offset, int length) {
    return clear().add(region, offset, length);
  }

  // For providers.

  public SendOpcode opcode() {
    return opcode;
  }

  public boolean isSignalled() {
    return signalled;
  }

  public boolean isSolicited() {
    return solicited;
  }

  public boolean isFenced() {
    return fenced;
  }

  public boolean isInline() {
    return inline;
  }

  public int immediate() {
    return immediate;
  }

  public int invalidateKey() {
    return invalidateKey;
  }

  public long remoteAddress() {
    return remoteAddress;
  }

  public int remoteKey() {
    return remoteKey;
  }

  public long compareOrAdd() {
    return compareOrAdd;
  }

  public long swap() {
    return swap;
  }

  public @Nullable AddressHandle destination() {
    return destination;
  }

  public int destinationQueuePair() {
    return destinationQueuePair;
  }

  public int queueKey() {
    return queueKey;
  }

  public @Nullable MemoryWindow window() {
    return window;
  }

  public @Nullable MemoryRegion bound() {
    return bound;
  }

  public int bindKey() {
    return bindKey;
  }

  public int bindAccess() {
    return bindAccess;
  }

  public long bindOffset() {
    return bindOffset;
  }

  public long bindLength() {
    return bindLength;
  }
}
