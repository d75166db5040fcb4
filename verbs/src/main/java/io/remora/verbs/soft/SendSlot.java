package io.remora.verbs.soft;

import io.remora.verbs.AddressHandle;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A send request as it was posted, in its place of the send queue. Belongs to its queue pair; reused. */
public final class SendSlot {
  private final Pieces pieces;
  private final MemorySegment inlineData;
  long id;
  SendOpcode opcode = SendOpcode.SEND;
  boolean signalled;
  boolean solicited;
  boolean fenced;
  int immediate;
  int invalidateKey;
  long remoteAddress;
  int remoteKey;
  long compareOrAdd;
  long swap;
  @Nullable
  AddressHandle destination;
  int destinationQueuePair;
  int queueKey;
  @Nullable
  SoftMemoryWindow window;
  @Nullable
  SoftMemoryRegion bound;
  int bindKey;
  int bindAccess;
  long bindOffset;
  long bindLength;

  boolean ended;
  WorkStatus status = WorkStatus.SUCCESS;

  /** For the provider: how far it is. */
  public long progress;
  /** For the provider: a number of its own, such as a message sequence number. */
  public long tag;

  SendSlot(int maxPieces, MemorySegment inlineData) {
    this.pieces = new Pieces(Math.max(1, maxPieces));
    this.inlineData = inlineData;
  }

  void set(SendRequest request) {
    id = request.id();
    opcode = request.opcode();
    signalled = request.isSignalled();
    solicited = request.isSolicited();
    fenced = request.isFenced();
    immediate = request.immediate();
    invalidateKey = request.invalidateKey();
    remoteAddress = request.remoteAddress();
    remoteKey = request.remoteKey();
    compareOrAdd = request.compareOrAdd();
    swap = request.swap();
    destination = request.destination();
    destinationQueuePair = request.destinationQueuePair();
    queueKey = request.queueKey();
    if (opcode == SendOpcode.BIND_WINDOW) {
      window = (SoftMemoryWindow) request.window();
      bound = (SoftMemoryRegion) request.bound();
      bindKey = request.bindKey();
      bindAccess = request.bindAccess();
      bindOffset = request.bindOffset();
      bindLength = request.bindLength();
      pieces.clear();
    } else if (opcode == SendOpcode.LOCAL_INVALIDATE) {
      pieces.clear();
    } else if (request.isInline()) {
      setInline(request);
    } else {
      pieces.set(request);
    }
    ended = false;
    status = WorkStatus.SUCCESS;
    progress = 0;
    tag = 0;
  }

  private void setInline(SendRequest request) {
    int at = 0;
    for (int i = 0; i < request.pieces(); i++) {
      MemorySegment.copy(request.region(i).segment(), request.offset(i), inlineData, at, request.length(i));
      at += request.length(i);
    }
    pieces.set(inlineData, at);
  }

  /** Carries out what concerns this end alone: a window is bound, or a key made invalid. */
  WorkStatus carryOut(KeyTable keys, SoftQueuePair user) {
    if (opcode == SendOpcode.LOCAL_INVALIDATE) {
      return keys.invalidate(invalidateKey, user) == KeyTable.Fault.NONE
          ? WorkStatus.SUCCESS
          : WorkStatus.LOCAL_OPERATION_ERROR;
    }
    SoftMemoryWindow to = window;
    SoftMemoryRegion of = bound;
    return to != null && of != null && to.bind(user, of, bindKey, bindOffset, bindLength, bindAccess)
        ? WorkStatus.SUCCESS
        : WorkStatus.BIND_ERROR;
  }

  void clear() {
    pieces.clear();
    destination = null;
    window = null;
    bound = null;
  }

  /** Its memory: where data comes from, or where it goes. */
  public Pieces pieces() {
    return pieces;
  }

  public SendOpcode opcode() {
    return opcode;
  }

  public boolean solicited() {
    return solicited;
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

  /** Whether it has ended, in whatever way. */
  public boolean ended() {
    return ended;
  }
}
