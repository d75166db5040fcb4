package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Sgl;
import io.remora.nvme.Opcode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Makes NVM commands of requests, each as large as the controller takes it (NVM Command Set 1.0, 3.2). One loop's. */
final class CommandBuilder {
  /** Memory that each command needs of its own: one range of Dataset Management. */
  static final int OWN_BYTES = 16;

  private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int FUA = 1 << 30;
  private static final int DEALLOCATE = 1 << 2;
  private static final int MAX_BLOCKS = 1 << 16;
  private static final long MAX_RANGE_BLOCKS = 1L << 31;
  private static final int ZEROS_BYTES = 64 << 10;

  private final Sgl zeros = new Sgl();
  private long maxTransferBytes;
  private boolean writeZeroes;

  CommandBuilder(Arena memory) {
    zeros.add(memory.allocate(ZEROS_BYTES, 4096), 0, ZEROS_BYTES);
  }

  /** Sets what the controller can do. */
  void limits(ControllerInfo info, long newMaxTransferBytes) {
    maxTransferBytes = newMaxTransferBytes;
    writeZeroes = info.hasWriteZeroes();
  }

  /**
   * Makes {@code command} do what {@code request} wants, from its byte {@code from} on.
   *
   * @return how many bytes of the request it does
   */
  long build(HostCommand command, IoRequest request, int blockSize, long from) {
    int shift = Integer.numberOfTrailingZeros(blockSize);
    long left = request.length - from;
    return switch (request.op) {
      case READ -> data(command, Opcode.READ, HostCommand.Direction.IN, request, shift, from);
      case WRITE -> data(command, Opcode.WRITE, HostCommand.Direction.OUT, request, shift, from);
      case COMPARE -> data(command, Opcode.COMPARE, HostCommand.Direction.OUT, request, shift, from);
      case FLUSH -> {
        command.opcode = Opcode.FLUSH;
        yield 0;
      }
      case WRITE_ZEROES -> zeroes(command, request, shift, from, left);
      case DEALLOCATE -> {
        long length = Math.min(left, MAX_RANGE_BLOCKS << shift);
        command.opcode = Opcode.DATASET_MANAGEMENT;
        command.cdw11 = DEALLOCATE;
        MemorySegment range = command.own(HostCommand.Direction.OUT, OWN_BYTES);
        range.set(LE32, 0, 0);
        range.set(LE32, 4, (int) (length >>> shift));
        range.set(LE64, 8, (request.offset + from) >>> shift);
        yield length;
      }
    };
  }

  private long data(HostCommand command, int opcode, HostCommand.Direction way, IoRequest request, int shift,
      long from) {
    long length = Math.min(request.length - from, Math.min(maxTransferBytes, (long) MAX_BLOCKS << shift));
    range(command, opcode, request, shift, from, length);
    if (length == request.length) {
      command.whole(way, request.sgl);
    } else {
      command.part(way, request.sgl, from, length);
    }
    return length;
  }

  /** Write Zeroes is bound as reads and writes are: the limit of its own (WZSL) is not known to every controller. */
  private long zeroes(HostCommand command, IoRequest request, int shift, long from, long left) {
    if (writeZeroes) {
      long length = Math.min(left, Math.min(maxTransferBytes, (long) MAX_BLOCKS << shift));
      range(command, Opcode.WRITE_ZEROES, request, shift, from, length);
      return length;
    }
    long length = Math.min(left, Math.min(maxTransferBytes, ZEROS_BYTES));
    range(command, Opcode.WRITE, request, shift, from, length);
    command.part(HostCommand.Direction.OUT, zeros, 0, length);
    return length;
  }

  private static void range(HostCommand command, int opcode, IoRequest request, int shift, long from, long length) {
    long block = (request.offset + from) >>> shift;
    command.opcode = opcode;
    command.cdw10 = (int) block;
    command.cdw11 = (int) (block >>> 32);
    command.cdw12 = ((int) (length >>> shift) - 1) | (request.fua ? FUA : 0);
  }
}
