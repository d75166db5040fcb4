package io.remora.nvme.target;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;

/**
 * The NVM command set of one I/O queue (NVM Command Set 1.0, 3); belongs to its loop. Allocates nothing, but for fused commands and
 * Copy.
 */
final class IoCommands implements CommandSet {
  private static final int FUA = 1 << 30;
  private static final int PRACT = 1 << 29;
  private static final int DEALLOCATE = 1 << 2;
  private static final int RANGE_BYTES = 16;
  private static final int RANGES_BYTES = 256 * RANGE_BYTES;
  /** Verify reads this much at a time, in bytes. */
  private static final int VERIFY_BYTES = 128 << 10;

  private static final int VERIFY_PIECES_PER_TURN = 8;

  private static final byte KNOWN = 1;
  /** Changes what the namespace holds. */
  private static final byte CHANGES = 1 << 1;
  /** Does that with its first request to the device. */
  private static final byte CHANGES_AT_ONCE = 1 << 2;
  private static final byte[] TRAITS = new byte[256];

  static {
    for (int opcode : new int[] {Opcode.READ, Opcode.COMPARE, Opcode.FLUSH, Opcode.VERIFY}) {
      TRAITS[opcode] = KNOWN;
    }
    for (int opcode : new int[] {Opcode.WRITE, Opcode.WRITE_ZEROES, Opcode.DATASET_MANAGEMENT}) {
      TRAITS[opcode] = KNOWN | CHANGES | CHANGES_AT_ONCE;
    }
    TRAITS[Opcode.COPY] = KNOWN | CHANGES;
  }

  private final QueuePair queue;
  private final NamespaceTable namespaces;

  IoCommands(QueuePair queue, Subsystem subsystem) {
    this.queue = queue;
    this.namespaces = queue.context().table(subsystem);
  }

  /** Whether it is a command of this set. */
  static boolean known(int opcode) {
    return TRAITS[opcode] != 0;
  }

  /** Whether it is a command that changes what a namespace holds. */
  static boolean changes(int opcode) {
    return (TRAITS[opcode] & CHANGES) != 0;
  }

  @Override
  public int decode(Command c) {
    NamespaceChannel namespace = namespaces.lookup(c.nsid);
    byte traits = TRAITS[c.opcode];
    if (namespace == null) {
      return (traits == 0 ? NvmeStatus.INVALID_OPCODE : NvmeStatus.INVALID_NAMESPACE) | NvmeStatus.DNR;
    }
    if (namespaces.ioStatus() != NvmeStatus.SUCCESS) {
      return namespaces.ioStatus();
    }
    if ((traits & CHANGES) != 0 && namespace.gate.writeProtected()) {
      return NvmeStatus.NAMESPACE_WRITE_PROTECTED | NvmeStatus.DNR;
    }
    c.namespace = namespace;
    int status = switch (c.opcode) {
      case Opcode.READ -> transfer(c, namespace, IoRequest.Op.READ, Command.Direction.TO_HOST);
      case Opcode.WRITE -> transfer(c, namespace, IoRequest.Op.WRITE, Command.Direction.TO_CONTROLLER);
      case Opcode.COMPARE -> transfer(c, namespace, IoRequest.Op.COMPARE, Command.Direction.TO_CONTROLLER);
      case Opcode.FLUSH -> {
        c.request.prepare(IoRequest.Op.FLUSH, 0, 0);
        yield NvmeStatus.SUCCESS;
      }
      case Opcode.WRITE_ZEROES -> range(c, namespace, IoRequest.Op.WRITE_ZEROES);
      case Opcode.VERIFY -> verifyRange(c, namespace);
      // Linux always sends room for all ranges, whatever their number.
      case Opcode.DATASET_MANAGEMENT -> c.expect(Command.Direction.TO_CONTROLLER,
          Math.clamp(c.sglLength, ((c.cdw10 & 0xff) + 1L) * RANGE_BYTES, RANGES_BYTES));
      case Opcode.COPY -> CopyCommand.decode(c);
      default -> NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
    };
    return status == NvmeStatus.SUCCESS && (c.flags & FusedPairs.MASK) != 0 ? FusedPairs.check(c, namespace) : status;
  }

  /** A write borrows only while nobody keeps writes out, and counts as one that a device is busy with: who wants them to end waits for it. */
  @Override
  public boolean borrow(Command c) {
    if ((c.opcode != Opcode.READ && c.opcode != Opcode.WRITE) || (c.flags & FusedPairs.MASK) != 0) {
      return false;
    }
    NamespaceChannel namespace = namespace(c);
    boolean write = c.opcode == Opcode.WRITE;
    if ((write && !namespace.gate.open()) || !namespace.channel.lend(c.request)) {
      return false;
    }
    c.borrows = true;
    c.writing = write;
    namespace.begin();
    return true;
  }

  @Override
  public void dropped(Command c) {
    if (c.borrows) {
      ended(c, namespace(c));
    }
  }

  @Override
  public void execute(Command c) {
    if ((c.flags & FusedPairs.MASK) != 0) {
      queue.fused().ready(c);
      return;
    }
    NamespaceChannel namespace = namespace(c);
    if (c.borrows) {
      count(c, namespace);
      end(c, namespace, NvmeStatus.SUCCESS);
      return;
    }
    if (c.opcode == Opcode.COPY && c.copy == null) {
      planCopy(c, namespace);
      return;
    }
    namespace.begin();
    start(c, namespace);
  }

  private void start(Command c, NamespaceChannel namespace) {
    if ((TRAITS[c.opcode] & CHANGES_AT_ONCE) != 0) {
      if (!namespace.gate.open() && stopped(c, namespace)) {
        return;
      }
      c.writing = true;
    }
    switch (c.opcode) {
      case Opcode.DATASET_MANAGEMENT -> {
        int status = checkRanges(c, namespace);
        if (status != NvmeStatus.SUCCESS || !nextRange(c, namespace)) {
          end(c, namespace, status);
        }
      }
      case Opcode.VERIFY -> verify(c, namespace, c.request.offset, c.request.length);
      case Opcode.COPY -> copy(c, namespace, copyOf(c));
      default -> namespace.channel.submit(c.request);
    }
  }

  /** Whether a command that is about to change something does not go on now: it waits, or has ended. */
  private boolean stopped(Command c, NamespaceChannel namespace) {
    boolean all = c.opcode == Opcode.DATASET_MANAGEMENT;
    return switch (namespace.gate.passage(all ? 0 : c.request.offset, all ? Long.MAX_VALUE : c.request.length)) {
      case OPEN -> false;
      case CLAIMED -> {
        namespace.holdUp(c);
        yield true;
      }
      case WRITE_PROTECTED -> {
        end(c, namespace, NvmeStatus.NAMESPACE_WRITE_PROTECTED | NvmeStatus.DNR);
        yield true;
      }
    };
  }

  @Override
  public void resumed(Command c) {
    NamespaceChannel namespace = namespace(c);
    if (queue.isClosed()) {
      end(c, namespace, NvmeStatus.ABORT_REQUESTED);
    } else if (c.opcode == Opcode.COPY) {
      writeCopy(c, namespace);
    } else {
      start(c, namespace);
    }
  }

  /** Whether {@code claim} must wait for {@code c}, with whose changes a device is busy. */
  static boolean touches(Command c, RangeClaim claim) {
    return c.opcode == Opcode.DATASET_MANAGEMENT || claim.overlaps(c.request.offset, c.request.length);
  }

  @Override
  public void completed(Command c) {
    NamespaceChannel namespace = namespace(c);
    Command partner = c.partner;
    if (partner != null) {
      countError(c, namespace);
      queue.fused().completed(c, partner);
      return;
    }
    int status = c.deviceStatus(c.writing || c.opcode == Opcode.FLUSH);
    if (status == NvmeStatus.SUCCESS) {
      switch (c.opcode) {
        case Opcode.READ, Opcode.WRITE -> count(c, namespace);
        case Opcode.DATASET_MANAGEMENT -> {
          if (nextRange(c, namespace)) {
            return;
          }
        }
        case Opcode.VERIFY -> {
          long verified = c.request.length;
          long end = (c.qword10() + (c.cdw12 & 0xffffL) + 1) << namespace.blockShift;
          long left = end - c.request.offset - verified;
          if (left > 0) {
            verifyOn(c, namespace, c.request.offset + verified, left);
            return;
          }
        }
        case Opcode.COPY -> {
          if (!c.writing) {
            copyOf(c).rangeRead();
            copy(c, namespace, copyOf(c));
            return;
          }
        }
        default -> {
        }
      }
    } else {
      countError(c, namespace);
      if (c.opcode == Opcode.COPY) {
        c.result = copyOf(c).firstNotCopied();
      }
    }
    end(c, namespace, status);
  }

  private static void countError(Command c, NamespaceChannel namespace) {
    if (c.request.status == Status.MEDIUM_ERROR || c.request.status == Status.CORRUPT) {
      namespace.counters.mediaError();
    }
  }

  private static void count(Command c, NamespaceChannel namespace) {
    if (c.opcode == Opcode.READ) {
      namespace.counters.read(c.dataBytes);
    } else {
      namespace.counters.written(c.dataBytes);
    }
  }

  private void end(Command c, NamespaceChannel namespace, int status) {
    ended(c, namespace);
    queue.finish(c, status);
  }

  /** The namespace has done with it. */
  private static void ended(Command c, NamespaceChannel namespace) {
    RangeClaim waiting = c.awaitedBy;
    if (waiting != null) {
      c.awaitedBy = null;
      waiting.oneLess();
    }
    namespace.end();
  }

  static NamespaceChannel namespace(Command c) {
    NamespaceChannel namespace = c.namespace;
    if (namespace == null) {
      throw new IllegalStateException("no namespace: " + c);
    }
    return namespace;
  }

  private int transfer(Command c, NamespaceChannel namespace, IoRequest.Op op, Command.Direction direction) {
    int status = range(c, namespace, op);
    return status == NvmeStatus.SUCCESS ? c.expect(direction, c.request.length) : status;
  }

  /** SLBA, NLB and FUA. */
  private int range(Command c, NamespaceChannel namespace, IoRequest.Op op) {
    long first = c.qword10();
    long blocks = (c.cdw12 & 0xffffL) + 1;
    if (outside(namespace, first, blocks)) {
      return NvmeStatus.LBA_OUT_OF_RANGE | NvmeStatus.DNR;
    }
    c.request.prepare(op, first << namespace.blockShift, blocks << namespace.blockShift);
    c.request.fua = (c.cdw12 & FUA) != 0 && op != IoRequest.Op.READ;
    return NvmeStatus.SUCCESS;
  }

  static boolean outside(NamespaceChannel namespace, long first, long blocks) {
    return first < 0 || first > (namespace.device.sizeBytes() >> namespace.blockShift) - blocks;
  }

  // Dataset Management.

  private int checkRanges(Command c, NamespaceChannel namespace) {
    MemorySegment ranges = c.memory();
    for (int i = 0; i <= (c.cdw10 & 0xff); i++) {
      long at = (long) i * RANGE_BYTES;
      long blocks = ranges.get(Layouts.LE32, at + 4) & 0xffff_ffffL;
      if (outside(namespace, ranges.get(Layouts.LE64, at + 8), blocks)) {
        return NvmeStatus.LBA_OUT_OF_RANGE | NvmeStatus.DNR;
      }
    }
    return NvmeStatus.SUCCESS;
  }

  /** Submits the next range that is not empty; false when there is none, or when the ranges are only hints. */
  private static boolean nextRange(Command c, NamespaceChannel namespace) {
    if ((c.cdw11 & DEALLOCATE) == 0) {
      return false;
    }
    MemorySegment ranges = c.memory();
    while (c.step <= (c.cdw10 & 0xff)) {
      long at = (long) c.step++ * RANGE_BYTES;
      long blocks = ranges.get(Layouts.LE32, at + 4) & 0xffff_ffffL;
      if (blocks > 0) {
        c.request.prepare(IoRequest.Op.DEALLOCATE, ranges.get(Layouts.LE64, at + 8) << namespace.blockShift,
            blocks << namespace.blockShift);
        namespace.channel.submit(c.request);
        return true;
      }
    }
    return false;
  }

  // Verify.

  private int verifyRange(Command c, NamespaceChannel namespace) {
    int status = (c.cdw12 & PRACT) != 0
        ? NvmeStatus.INVALID_FIELD | NvmeStatus.DNR
        : range(c, namespace, IoRequest.Op.READ);
    if (status == NvmeStatus.SUCCESS) {
      c.memoryBytes = (int) Math.min(VERIFY_BYTES, c.request.length);
    }
    return status;
  }

  /** Goes on, in another turn after every few pieces: other queues have theirs in between. */
  private void verifyOn(Command c, NamespaceChannel namespace, long offset, long left) {
    c.step++;
    if (queue.isClosed()) {
      end(c, namespace, NvmeStatus.ABORT_REQUESTED);
    } else if (c.step % VERIFY_PIECES_PER_TURN == 0) {
      queue.context().loop().execute(() -> verify(c, namespace, offset, left));
    } else {
      verify(c, namespace, offset, left);
    }
  }

  private static void verify(Command c, NamespaceChannel namespace, long offset, long left) {
    long length = Math.min(left, c.memoryBytes);
    c.request.prepare(IoRequest.Op.READ, offset, length);
    c.request.sgl.add(c.memory(), 0, length);
    namespace.channel.submit(c.request);
  }

  // Copy.

  private void planCopy(Command c, NamespaceChannel namespace) {
    int status = CopyCommand.parse(c, namespace, queue.maxTransferBytes() >> namespace.blockShift);
    if (status == NvmeStatus.SUCCESS) {
      queue.exchange(c, copyOf(c).totalBytes());
    } else {
      queue.finish(c, status);
    }
  }

  private void copy(Command c, NamespaceChannel namespace, CopyCommand copy) {
    if (queue.isClosed()) {
      end(c, namespace, NvmeStatus.ABORT_REQUESTED);
    } else if (copy.prepareRead(c)) {
      namespace.channel.submit(c.request);
    } else {
      copy.prepareWrite(c, namespace, (c.cdw12 & FUA) != 0);
      writeCopy(c, namespace);
    }
  }

  private void writeCopy(Command c, NamespaceChannel namespace) {
    if (namespace.gate.open() || !stopped(c, namespace)) {
      c.writing = true;
      namespace.channel.submit(c.request);
    }
  }

  private static CopyCommand copyOf(Command c) {
    CopyCommand copy = c.copy;
    if (copy == null) {
      throw new IllegalStateException("no copy: " + c);
    }
    return copy;
  }
}
