package io.remora.nvme.rdma;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.nvme.host.HostCommand;
import io.remora.verbs.Access;
import io.remora.verbs.MemoryRegion;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Memory for copies of data that cannot stay where it is: the loop's, when it is exported by windows, or else memory of this connection's own, which the controller may touch at any time. Belongs
 * to the connection.
 *
 * <p>Invariant: commands have their copies in the order in which they asked.
 */
final class HostCopies {
  private static final long OWN_ARENA_BYTES = 2 << 20;

  private final BufferPool pool;
  private final BufferPool.Owner owner;
  private final RegisteredPool registered;
  private final boolean own;
  private final Consumer<HostTransfer> onCopy;
  private final BufferPool.Waiter waiter = new BufferPool.Waiter() {
    @Override
    protected void onBuffer(Buffer buffer) {
      onMemory(buffer);
    }
  };
  private @Nullable HostTransfer waiting;
  private @Nullable HostTransfer lastWaiting;

  /**
   * Copies for one connection.
   *
   * @param ownBytes as {@link #ownBytes} says
   * @param onCopy goes on with a transfer that had to wait and now has its copy
   */
  HostCopies(HostDevice device, long ownBytes, RegisteredBytes bytes, Consumer<HostTransfer> onCopy) {
    this.own = ownBytes > 0;
    this.onCopy = onCopy;
    if (own) {
      this.pool = new BufferPool(device.loop(), OWN_ARENA_BYTES, ownBytes);
      this.owner = pool.owner("copies", ownBytes);
      this.registered = RegisteredPool.open(pool, device.domain(),
          Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE, bytes);
    } else {
      this.pool = device.pool();
      this.owner = device.owner();
      this.registered = device.registered();
    }
  }

  /** How much memory of its own a connection's copies need, in bytes. */
  static long ownBytes(HostDevice device, int queueId, HostRdmaOptions options) {
    if (device.windows()) {
      return 0;
    }
    return queueId == 0 ? OWN_ARENA_BYTES : options.copyBytesPerQueue();
  }

  /** Gives {@code transfer} a copy of its data, or the place for one; false when it has to wait. */
  boolean take(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    Buffer buffer = waiting == null ? pool.take(owner, command.dataBytes()) : null;
    if (buffer == null) {
      await(transfer);
      return false;
    }
    give(transfer, command, buffer);
    return true;
  }

  private void give(HostTransfer transfer, HostCommand command, Buffer buffer) {
    transfer.copy = buffer;
    MemoryRegion region = registered.region(buffer.segment());
    transfer.region = region;
    transfer.offset = buffer.segment().address() - region.segment().address();
    if (command.direction == HostCommand.Direction.OUT) {
      command.data.copyTo(0, buffer.segment(), 0, command.dataBytes());
    }
  }

  private void await(HostTransfer transfer) {
    HostTransfer last = lastWaiting;
    if (last == null) {
      waiting = transfer;
    } else {
      last.next = transfer;
    }
    lastWaiting = transfer;
    if (!waiter.waiting()) {
      awaitMemory();
    }
  }

  private void awaitMemory() {
    HostTransfer first = waiting;
    HostCommand command = first == null ? null : first.command;
    if (command != null) {
      pool.await(waiter, owner, command.dataBytes());
    }
  }

  private void onMemory(Buffer buffer) {
    HostTransfer first = waiting;
    HostCommand command = first == null ? null : first.command;
    if (first == null || command == null) {
      buffer.release();
      return;
    }
    waiting = first.next;
    first.next = null;
    if (waiting == null) {
      lastWaiting = null;
    }
    give(first, command, buffer);
    onCopy.accept(first);
    awaitMemory();
  }

  /** Takes back what {@code transfer} has, if anything; {@code filled}: the controller has put the command's data there. */
  void takeBack(HostTransfer transfer, boolean filled) {
    Buffer copy = transfer.copy;
    if (copy == null) {
      return;
    }
    transfer.copy = null;
    HostCommand command = transfer.command;
    if (filled && command != null && command.direction == HostCommand.Direction.IN) {
      command.data.copyFrom(0, copy.segment(), 0, command.dataBytes());
    }
    copy.release();
  }

  /** Takes back what {@code all} have and gives nothing any more; no device works with any of it. */
  void close(HostTransfer[] all) {
    pool.cancel(waiter);
    for (HostTransfer transfer : all) {
      takeBack(transfer, false);
    }
    if (own) {
      registered.close();
      pool.close();
    }
  }
}
