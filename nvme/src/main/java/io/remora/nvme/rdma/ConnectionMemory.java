package io.remora.nvme.rdma;

import io.remora.base.Buffer;
import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.target.LoopContext;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory of one connection of a target: a receive for each entry of the queue, an answer for each command slot. Belongs to the connection.
 *
 * <p>A command's entry and the data in its capsule are received apart, so that the data lies at a page's beginning and can go from there to a disk.
 */
final class ConnectionMemory {
  private final int receives;
  private final int capsuleBytes;
  private final Buffer headers;
  private final MemoryRegion headerRegion;
  private final long headerOffset;
  private final @Nullable Buffer data;
  private final @Nullable MemoryRegion dataRegion;
  private final MemorySegment[] capsules;

  private ConnectionMemory(TargetDevice device, int receives, int capsuleBytes, Buffer headers, @Nullable Buffer data) {
    this.receives = receives;
    this.capsuleBytes = capsuleBytes;
    this.headers = headers;
    this.headerRegion = device.memory.region(headers.segment());
    this.headerOffset = headers.segment().address() - headerRegion.segment().address();
    this.data = data;
    this.dataRegion = data == null ? null : device.memory.region(data.segment());
    this.capsules = new MemorySegment[data == null ? 0 : receives];
    for (int i = 0; i < capsules.length && data != null; i++) {
      capsules[i] = data.segment().asSlice((long) i * capsuleBytes, capsuleBytes);
    }
  }

  /** What {@link #take} takes at most, in bytes. */
  static long bytes(int receives, int slots, int capsuleBytes) {
    return headerBytes(receives, slots) + (long) receives * capsuleBytes;
  }

  private static long headerBytes(int receives, int slots) {
    return (long) receives * Sqe.BYTES + (long) slots * Cqe.BYTES;
  }

  /** Takes it from the loop's memory for connections; null when there is none to be had. */
  static @Nullable ConnectionMemory take(TargetDevice device, int receives, int slots, int capsuleBytes) {
    LoopContext context = device.context;
    Buffer headers = context.pool().take(context.connections(), headerBytes(receives, slots));
    if (headers == null) {
      return null;
    }
    Buffer data = null;
    if (capsuleBytes > 0) {
      data = context.pool().take(context.connections(), (long) receives * capsuleBytes);
      if (data == null) {
        headers.release();
        return null;
      }
    }
    return new ConnectionMemory(device, receives, capsuleBytes, headers, data);
  }

  /** Entries of commands are here, at {@link #entryAt}. */
  MemorySegment entries() {
    return headers.segment();
  }

  /** Where the entry of receive {@code index} is. */
  long entryAt(int index) {
    return (long) index * Sqe.BYTES;
  }

  /** The data in the capsule of receive {@code index}. */
  MemorySegment capsule(int index) {
    return capsules.length == 0 ? MemorySegment.NULL : capsules[index];
  }

  /** The most data in a capsule, in bytes. */
  int capsuleBytes() {
    return capsuleBytes;
  }

  /** Has {@code request} be receive {@code index}. */
  void describe(ReceiveRequest request, int index) {
    request.piece(headerRegion, headerOffset + entryAt(index), Sqe.BYTES);
    MemoryRegion region = dataRegion;
    if (region != null) {
      request.add(region, capsules[index].address() - region.segment().address(), capsuleBytes);
    }
  }

  /** Writes the answer of slot {@code slot} and has {@code request} send it. */
  void describe(SendRequest request, int slot, long result, int sqhd, int cid, int status) {
    long at = (long) receives * Sqe.BYTES + (long) slot * Cqe.BYTES;
    Cqe.write(headers.segment(), at, result, sqhd, cid, status);
    request.piece(headerRegion, headerOffset + at, Cqe.BYTES);
  }

  /** Gives it back; no device works with it any more. */
  void release() {
    headers.release();
    Buffer held = data;
    if (held != null) {
      held.release();
    }
  }
}
