package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Sgl;
import io.remora.nvme.Sqe;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A command of one queue: one slot of its table, made once and used again and again. Belongs to its queue; while it is in
 * flight the link reads it.
 *
 * <p>The command identifier holds the slot in its low 12 bits, and above it a count that changes with every use, so that a late
 * or repeated answer meets no stranger.
 */
public final class HostCommand {
  /** Which way its data goes. */
  public enum Direction {
    /** There is none. */
    NONE,
    /** To the controller. */
    OUT,
    /** From the controller. */
    IN
  }

  static final int SLOT_BITS = 12;
  private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;
  private static final int GENERATIONS = 1 << (16 - SLOT_BITS);

  /** Its place in the table, from 0. */
  public final int slot;

  /** The command identifier of this use. */
  public int cid;

  public int opcode;

  /** The namespace; for a fabrics command its type. */
  public int nsid;

  public int cdw10;
  public int cdw11;
  public int cdw12;
  public int cdw13;
  public int cdw14;
  public int cdw15;

  public Direction direction = Direction.NONE;

  /** Its data, all of it and nothing else, when there is a direction. */
  public Sgl data;

  private final Sgl ownData = new Sgl();
  private final MemorySegment ownBytes;

  // Below: for the queue.
  boolean inFlight;
  /** Sent at least once on an association that is gone: it may have been carried out, or may be still. */
  boolean uncertain;
  boolean abortSent;
  int retries;
  int losses;
  int tick;
  long issuedOffset;
  long issuedLength;
  @Nullable
  HostIo io;
  @Nullable
  HostCommand next;
  @Nullable
  HostCommand previous;
  AdminQueue.@Nullable Answer answer;

  /** The command of {@code slot}, with a few bytes at {@code ownBytes} for small data of its own. */
  HostCommand(int slot, MemorySegment ownBytes) {
    this.slot = slot;
    this.ownBytes = ownBytes;
    this.data = ownData;
    this.cid = slot;
  }

  /** The slot that a command identifier names. */
  static int slotOf(int cid) {
    return cid & SLOT_MASK;
  }

  /** Begins a new use with a new identifier and all fields zero. */
  HostCommand begin(int opcode, int nsid) {
    int generation = ((cid >>> SLOT_BITS) + 1) % GENERATIONS;
    cid = (generation << SLOT_BITS) | slot;
    this.opcode = opcode;
    this.nsid = nsid;
    cdw10 = 0;
    cdw11 = 0;
    cdw12 = 0;
    cdw13 = 0;
    cdw14 = 0;
    cdw15 = 0;
    direction = Direction.NONE;
    uncertain = false;
    abortSent = false;
    retries = 0;
    losses = 0;
    return this;
  }

  /** For a command that is sent again: a new identifier, so that it and its predecessor cannot be confused. */
  void renew() {
    int generation = ((cid >>> SLOT_BITS) + 1) % GENERATIONS;
    cid = (generation << SLOT_BITS) | slot;
    abortSent = false;
  }

  /** Its data is {@code list} as a whole. */
  void whole(Direction way, Sgl list) {
    direction = way;
    data = list;
  }

  /** Its data is a part of {@code list}. */
  void part(Direction way, Sgl list, long from, long length) {
    direction = way;
    ownData.clear();
    ownData.addRange(list, from, length);
    data = ownData;
  }

  /** Its data is {@code segment} as a whole. */
  void memory(Direction way, MemorySegment segment) {
    direction = way;
    ownData.clear();
    ownData.add(segment, 0, segment.byteSize());
    data = ownData;
  }

  /** Its data is {@code length} bytes of its own memory, which is returned. */
  MemorySegment own(Direction way, long length) {
    direction = way;
    ownData.clear();
    ownData.add(ownBytes, 0, length);
    data = ownData;
    return ownBytes;
  }

  /** Lets go of the memory that is somebody else's. */
  void release() {
    ownData.clear();
    data = ownData;
    io = null;
    answer = null;
    direction = Direction.NONE;
  }

  /** Whether it is for a request that changes data. */
  boolean changesData() {
    HostIo of = io;
    IoRequest request = of == null ? null : of.request;
    return request != null && HostIo.changes(request.op);
  }

  /** Whether the namespace of its request was removed. */
  boolean namespaceRemoved() {
    HostIo of = io;
    HostNamespace namespace = of == null ? null : of.namespace;
    return namespace != null && namespace.removed();
  }

  /** Its data's length in bytes. */
  public long dataBytes() {
    return direction == Direction.NONE ? 0 : data.totalBytes();
  }

  /** Writes the submission queue entry; the data pointer is the link's to set, here it is zero. */
  public void encode(MemorySegment s, long base) {
    Sqe.begin(s, base, opcode, cid, nsid);
    Sqe.dword(s, base, 10, cdw10);
    Sqe.dword(s, base, 11, cdw11);
    Sqe.dword(s, base, 12, cdw12);
    Sqe.dword(s, base, 13, cdw13);
    Sqe.dword(s, base, 14, cdw14);
    Sqe.dword(s, base, 15, cdw15);
  }

  @Override
  public String toString() {
    return "command %02xh cid %04xh nsid %d".formatted(opcode, cid, nsid);
  }
}
