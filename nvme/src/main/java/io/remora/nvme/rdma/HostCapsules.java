package io.remora.nvme.rdma;

import io.remora.base.Buffer;
import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What capsules of one connection of a host are made of: an entry for each command slot, a response for each receive. Belongs to the connection. */
final class HostCapsules {
  private final int slots;
  private final Buffer buffer;
  private final MemoryRegion region;
  private final long offset;

  private HostCapsules(HostDevice device, int slots, Buffer buffer) {
    this.slots = slots;
    this.buffer = buffer;
    this.region = device.registered().region(buffer.segment());
    this.offset = buffer.segment().address() - region.segment().address();
  }

  /** What {@link #take} takes, in bytes. */
  static long bytes(int slots, int receives) {
    return (long) slots * Sqe.BYTES + (long) receives * Cqe.BYTES;
  }

  /** Takes it from the device's memory; null when there is none to be had. */
  static @Nullable HostCapsules take(HostDevice device, int slots, int receives) {
    Buffer buffer = device.pool().take(device.owner(), bytes(slots, receives));
    return buffer == null ? null : new HostCapsules(device, slots, buffer);
  }

  /** Entries are here at {@link #entryAt}, responses at {@link #responseAt}. */
  MemorySegment memory() {
    return buffer.segment();
  }

  /** Where the entry of {@code slot} is. */
  long entryAt(int slot) {
    return (long) slot * Sqe.BYTES;
  }

  /** Where the response of receive {@code index} is. */
  long responseAt(int index) {
    return (long) slots * Sqe.BYTES + (long) index * Cqe.BYTES;
  }

  /** Has {@code request} send the entry of {@code slot}, and nothing else yet. */
  void describe(SendRequest request, int slot) {
    request.piece(region, offset + entryAt(slot), Sqe.BYTES);
  }

  /** Has {@code request} be receive {@code index}. */
  void describe(ReceiveRequest request, int index) {
    request.piece(region, offset + responseAt(index), Cqe.BYTES);
  }

  /** Gives it back; no device works with it any more. */
  void release() {
    buffer.release();
  }
}
