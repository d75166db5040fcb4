package io.remora.nvme.target;

import io.remora.base.IoRequest;
import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;

/**
 * One Copy of source ranges to one place of the same namespace, format 0 (NVM Command Set 1.0, 3.2.2); belongs to the queue's loop.
 *
 * <p>All is read into one buffer, range after range, and then written by one request: what was read does not depend on where it goes,
 * even where both overlap, and other writes see the copy as one. So the limits that Identify announces are those of one transfer.
 */
final class CopyCommand {
  /** MSRC, a count less one. */
  static final int MAX_RANGES = 127;
  static final int RANGE_BYTES = 32;
  private static final int SLBA = 8;
  private static final int NLB = 16;

  private final long[] offsets;
  private final int[] lengths;
  private final int total;
  private int reading;
  private int read;

  private CopyCommand(long[] offsets, int[] lengths, int total) {
    this.offsets = offsets;
    this.lengths = lengths;
    this.total = total;
  }

  /** What stands in the entry: format, number of ranges, room for them. */
  static int decode(Command c) {
    if ((c.cdw12 >> 8 & 0xf) != 0) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    int ranges = (c.cdw12 & 0xff) + 1;
    return ranges > MAX_RANGES + 1
        ? NvmeStatus.COMMAND_SIZE_LIMIT_EXCEEDED | NvmeStatus.DNR
        : c.expect(Command.Direction.TO_CONTROLLER, (long) ranges * RANGE_BYTES);
  }

  /**
   * Reads the ranges in the command's memory and sets {@link Command#copy} when they are in order.
   *
   * @param maxBlocks the most blocks of one range, and of all
   */
  static int parse(Command c, NamespaceChannel namespace, int maxBlocks) {
    int count = (c.cdw12 & 0xff) + 1;
    MemorySegment ranges = c.memory();
    long[] offsets = new long[count];
    int[] lengths = new int[count];
    int blocks = 0;
    for (int i = 0; i < count; i++) {
      long at = (long) i * RANGE_BYTES;
      int each = (ranges.get(Layouts.LE16, at + NLB) & 0xffff) + 1;
      long first = ranges.get(Layouts.LE64, at + SLBA);
      blocks += each;
      if (blocks > maxBlocks) {
        return NvmeStatus.COMMAND_SIZE_LIMIT_EXCEEDED | NvmeStatus.DNR;
      }
      if (IoCommands.outside(namespace, first, each)) {
        return NvmeStatus.LBA_OUT_OF_RANGE | NvmeStatus.DNR;
      }
      offsets[i] = first << namespace.blockShift;
      lengths[i] = each << namespace.blockShift;
    }
    if (IoCommands.outside(namespace, c.qword10(), blocks)) {
      return NvmeStatus.LBA_OUT_OF_RANGE | NvmeStatus.DNR;
    }
    c.copy = new CopyCommand(offsets, lengths, blocks << namespace.blockShift);
    return NvmeStatus.SUCCESS;
  }

  /** How much memory it takes, in bytes. */
  int totalBytes() {
    return total;
  }

  /** Prepares the request for the next range; false when all have been read. */
  boolean prepareRead(Command c) {
    if (reading == offsets.length) {
      return false;
    }
    c.request.prepare(IoRequest.Op.READ, offsets[reading], lengths[reading]);
    c.request.sgl.add(c.memory(), read, lengths[reading]);
    return true;
  }

  /** A range has been read. */
  void rangeRead() {
    read += lengths[reading];
    reading++;
  }

  /** Prepares the request that writes it all. */
  void prepareWrite(Command c, NamespaceChannel namespace, boolean fua) {
    c.request.prepare(IoRequest.Op.WRITE, c.qword10() << namespace.blockShift, total);
    c.request.sgl.add(c.memory(), 0, total);
    c.request.fua = fua;
  }

  /** The lowest range that has not been copied: what the host is told of a copy that failed. */
  int firstNotCopied() {
    return reading == offsets.length ? 0 : reading;
  }
}
