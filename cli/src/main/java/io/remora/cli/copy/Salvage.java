package io.remora.cli.copy;

import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.block.pool.FoundVolume.Range;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Copies what was found of a volume to a file or a stream, and reads nothing else. What cannot be read is tried again block by
 * block. One thread, which blocks.
 */
public final class Salvage {
  private static final int DEPTH = 16;

  /**
   * What was done.
   *
   * @param dataBytes how much of the volume was found and could be read
   * @param unreadable what was found and could not be read, in order
   */
  public record Summary(long dataBytes, List<Range> unreadable) {
    /** Copies. */
    public Summary {
      unreadable = List.copyOf(unreadable);
    }
  }

  private final Loop loop;
  private final BlockDevice device;
  private final List<Range> pieces = new ArrayList<>();
  private final boolean allowMissing;
  private final LongConsumer progress;
  private final List<Range> unreadable = new ArrayList<>();

  /**
   * Copies the ranges {@code data}, which are in order, of {@code device}; {@code progress} hears how many bytes of them are done.
   *
   * @param allowMissing whether what cannot be read is written as zeros; else it ends the copy
   */
  public Salvage(Loop loop, BlockDevice device, List<Range> data, boolean allowMissing, LongConsumer progress) {
    this.loop = loop;
    this.device = device;
    this.allowMissing = allowMissing;
    this.progress = progress;
    for (Range range : data) {
      for (long at = 0; at < range.lengthBytes(); at += Copy.CHUNK_BYTES) {
        pieces.add(new Range(range.offsetBytes() + at, Math.min(Copy.CHUNK_BYTES, range.lengthBytes() - at)));
      }
    }
  }

  /**
   * Copies to {@code target}.
   *
   * @param sparse whether it is a new, empty file, which gets holes where there is nothing; else a stream
   */
  public Summary run(FileChannel target, boolean sparse) throws IOException, InterruptedException {
    long done = 0;
    long position = 0;
    try (Window window = new Window(loop, device, DEPTH, Copy.CHUNK_BYTES);
        Window blocks = new Window(loop, device, 1, 4096)) {
      for (int ahead = 0; ahead < Math.min(DEPTH, pieces.size()); ahead++) {
        read(window, window.take(ahead), ahead);
      }
      for (int i = 0; i < pieces.size(); i++) {
        Range piece = pieces.get(i);
        Window.Slot slot = window.await(i);
        int length = (int) piece.lengthBytes();
        if (!slot.status().isOk()) {
          readBlocks(blocks, piece, slot.memory());
        }
        if (sparse) {
          Copy.writeSparse(target, slot, piece.offsetBytes());
        } else {
          writeZeros(target, piece.offsetBytes() - position);
          Copy.writeFully(target, slot.view().limit(length));
        }
        position = piece.offsetBytes() + length;
        done += length;
        progress.accept(done);
        if (i + DEPTH < pieces.size()) {
          read(window, slot, i + DEPTH);
        } else {
          window.release(slot);
        }
      }
    }
    if (sparse) {
      Copy.setLength(target, device.sizeBytes());
      target.force(true);
    } else {
      writeZeros(target, device.sizeBytes() - position);
    }
    return new Summary(done - unreadable.stream().mapToLong(Range::lengthBytes).sum(), unreadable);
  }

  private void read(Window window, Window.Slot slot, int index) {
    Range piece = pieces.get(index);
    window.submit(slot, Op.READ, piece.offsetBytes(), piece.lengthBytes());
  }

  private void readBlocks(Window window, Range piece, MemorySegment into) {
    int unit = device.blockSize();
    for (long at = 0; at < piece.lengthBytes(); at += unit) {
      window.submit(window.await(0), Op.READ, piece.offsetBytes() + at, unit);
      Window.Slot slot = window.await(0);
      if (slot.status().isOk()) {
        MemorySegment.copy(slot.memory(), 0, into, at, unit);
      } else {
        into.asSlice(at, unit).fill((byte) 0);
        missing(piece.offsetBytes() + at, unit, slot.status());
      }
      window.release(slot);
    }
  }

  private void missing(long offset, long length, Status status) {
    if (!allowMissing) {
      throw new RemoraException(Status.MEDIUM_ERROR, ("volume %s: %d bytes at offset %d cannot be read (%s); with "
          + "--allow-missing they become zeros").formatted(device.name(), length, offset, status.text()));
    }
    Range last = unreadable.isEmpty() ? null : unreadable.getLast();
    if (last != null && last.offsetBytes() + last.lengthBytes() == offset) {
      unreadable.set(unreadable.size() - 1, new Range(last.offsetBytes(), last.lengthBytes() + length));
    } else {
      unreadable.add(new Range(offset, length));
    }
  }

  private static void writeZeros(FileChannel target, long length) throws IOException {
    ByteBuffer zeros = io.remora.block.Zeros.SEGMENT.asByteBuffer();
    for (long left = length; left > 0;) {
      int take = (int) Math.min(left, zeros.capacity());
      Copy.writeFully(target, zeros.duplicate().clear().limit(take));
      left -= take;
    }
  }
}
