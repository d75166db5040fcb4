package io.remora.nvme.target;

import io.remora.base.Buffer;
import io.remora.base.IoRequest;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Sqe;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A slot for one command of a queue pair, used again and again; belongs to the queue pair's loop. A transport may extend it with
 * what it needs per command.
 *
 * <p>A slot is the transport's while {@link State#FREE}; it hands it over by {@link QueuePair#submit} and has it back after {@link
 * QueuePair#release}. Its buffer is owned by the slot in between.
 */
public class Command {
  /** One for all slots: the request knows its own. */
  private static final IoRequest.Completion COMPLETION = request -> {
    if (request.owner instanceof Command command) {
      command.set.completed(command);
    }
  };

  /** What happens to the command. */
  public enum State {
    /** Nothing. */
    FREE,
    /** Waits for memory. */
    WAITING,
    /** The transport fetches its data. */
    FETCHING,
    /** A command set, a device or another loop works on it. */
    EXECUTING,
    /** Kept to be answered when something happens: an asynchronous event request. */
    HELD,
    /** The transport sends the answer. */
    RESPONDING
  }

  /** Which way data goes. */
  enum Direction {
    NONE, TO_CONTROLLER, TO_HOST
  }

  final QueuePair queue;
  final IoRequest request = new IoRequest(COMPLETION);
  State state = State.FREE;

  // The entry, as it was received.
  int opcode;
  int flags;
  int cid;
  int nsid;
  int sglType;
  long sglAddress;
  long sglLength;
  int sglKey;
  int cdw10;
  int cdw11;
  int cdw12;
  int cdw13;
  int cdw14;
  int cdw15;
  int capsuleLength;

  // What the command set made of it.
  CommandSet set = CommandSets.NONE;
  Direction direction = Direction.NONE;
  int dataBytes;
  int memoryBytes;
  @Nullable
  NamespaceChannel namespace;
  int step;
  /** Whether a device works on a request of it that changes something. */
  boolean writing;
  /** Who waits for the end of that. */
  @Nullable
  RangeClaim awaitedBy;
  /** What it has for itself. */
  @Nullable
  RangeClaim claim;
  /** The other half of a fused command, and how this half ends when it is not carried out. */
  @Nullable
  Command partner;
  int concluded;
  @Nullable
  CopyCommand copy;

  // How it ended.
  int status;
  long result;

  @Nullable
  Buffer buffer;
  /** The transport's memory with the data that came in the capsule, in place of a buffer. */
  @Nullable
  MemorySegment lent;
  boolean borrows;
  @Nullable
  Command nextWaiting;

  /** A free slot of {@code queue}. */
  protected Command(QueuePair queue) {
    this.queue = queue;
  }

  /** Reads the entry at {@code base} of {@code s}. */
  final void load(MemorySegment s, long base, int inCapsule) {
    request.owner = this;
    opcode = Sqe.opcode(s, base);
    flags = Sqe.flags(s, base);
    cid = Sqe.cid(s, base);
    nsid = Sqe.nsid(s, base);
    sglType = Sqe.sglType(s, base);
    sglAddress = Sqe.sglAddress(s, base);
    boolean keyed = Sqe.keyed(s, base);
    sglLength = keyed ? Sqe.keyedLength(s, base) : Sqe.sglLength(s, base);
    sglKey = keyed ? Sqe.sglKey(s, base) : 0;
    cdw10 = Sqe.dword(s, base, 10);
    cdw11 = Sqe.dword(s, base, 11);
    cdw12 = Sqe.dword(s, base, 12);
    cdw13 = Sqe.dword(s, base, 13);
    cdw14 = Sqe.dword(s, base, 14);
    cdw15 = Sqe.dword(s, base, 15);
    capsuleLength = inCapsule;
    direction = Direction.NONE;
    dataBytes = 0;
    memoryBytes = 0;
    namespace = null;
    step = 0;
    writing = false;
    partner = null;
    concluded = NvmeStatus.SUCCESS;
    copy = null;
    status = NvmeStatus.SUCCESS;
    result = 0;
  }

  /** Whether a device, the controller or a fetch to a device's own memory is at it: what it changes may change now. */
  final boolean carriedOut() {
    return state == State.EXECUTING || (state == State.FETCHING && borrows);
  }

  /** The type of a fabrics command. */
  final int fctype() {
    return nsid & 0xff;
  }

  /** Eight bytes from command dword 10 on. */
  final long qword10() {
    return (cdw10 & 0xffff_ffffL) | (long) cdw11 << 32;
  }

  /**
   * Says that {@code bytes} of data go {@code which} way, and holds the SGL against that.
   *
   * @return success, or the status with which the command ends
   */
  final int expect(Direction which, long bytes) {
    if (bytes > queue.maxTransferBytes()) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    if (sglType == Sqe.SGL_IN_CAPSULE) {
      if (which != Direction.TO_CONTROLLER) {
        return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
      }
      if (sglAddress < 0 || sglAddress > capsuleLength || sglLength > capsuleLength - sglAddress) {
        return NvmeStatus.INVALID_SGL_OFFSET | NvmeStatus.DNR;
      }
    } else if (!queue.transport().acceptsSgl(sglType)) {
      return NvmeStatus.INVALID_SGL_TYPE | NvmeStatus.DNR;
    }
    if (sglLength != bytes) {
      return NvmeStatus.INVALID_SGL_LENGTH | NvmeStatus.DNR;
    }
    direction = which;
    dataBytes = (int) bytes;
    memoryBytes = (int) bytes;
    return NvmeStatus.SUCCESS;
  }

  final boolean inCapsule() {
    return direction == Direction.TO_CONTROLLER && sglType == Sqe.SGL_IN_CAPSULE;
  }

  /** Its data has come in {@code capsule}, and stays there. */
  final void lend(MemorySegment capsule) {
    lent = sglAddress == 0 ? capsule : capsule.asSlice(sglAddress);
    request.sgl.clear();
    request.sgl.add(lent, 0, dataBytes);
  }

  /** The memory that was lent, if any, is the transport's or the device's again. */
  final void takeBack() {
    if (lent != null || borrows) {
      lent = null;
      borrows = false;
      request.sgl.clear();
    }
  }

  /** Its I/O memory, as long as {@link #memoryBytes} at least. */
  final MemorySegment memory() {
    MemorySegment capsule = lent;
    if (capsule != null) {
      return capsule;
    }
    Buffer held = buffer;
    if (held == null) {
      throw new IllegalStateException("no memory: " + this);
    }
    return held.segment();
  }

  /** How the last request to the device ended, as an NVMe status. */
  final int deviceStatus(boolean write) {
    return request.status == Status.OK ? NvmeStatus.SUCCESS : NvmeStatus.of(request.status, write);
  }

  /** What happens to it. */
  public final State state() {
    return state;
  }

  /** The identifier that the host gave it. */
  public final int cid() {
    return cid;
  }

  /** The memory of its data, {@link #dataBytes} long. */
  public final Sgl data() {
    return request.sgl;
  }

  /** Whether {@link #data} is memory that a block device has lent: see {@link io.remora.block.BlockChannel#lend}. */
  public final boolean borrows() {
    return borrows;
  }

  /** The type byte of its SGL. */
  public final int sglType() {
    return sglType;
  }

  /** Of a keyed SGL: where the host's memory is, as the host calls it. */
  public final long hostAddress() {
    return sglAddress;
  }

  /** Of a keyed SGL: the key to the host's memory. */
  public final int hostKey() {
    return sglKey;
  }

  /** How much data it moves, in bytes. */
  public final int dataBytes() {
    return dataBytes;
  }

  /** Whether its response brings data. */
  public final boolean sendsData() {
    return direction == Direction.TO_HOST && status == NvmeStatus.SUCCESS;
  }

  /** How it ended: one of {@link NvmeStatus}. */
  public final int status() {
    return status;
  }

  /** The result for the completion entry. */
  public final long result() {
    return result;
  }

  @Override
  public String toString() {
    return "command %d: opcode %02x, %s, %d bytes".formatted(cid, opcode, state, dataBytes);
  }
}
