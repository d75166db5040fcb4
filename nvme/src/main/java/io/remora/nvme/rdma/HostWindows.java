package io.remora.nvme.rdma;

import io.remora.nvme.host.HostCommand;
import io.remora.verbs.Access;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory windows of one connection of a host: each lets the controller have the data of one command. Made when there is none free, used again and again. Belongs to the connection.
 *
 * <p>Invariant: a window is free, or a transfer has it, from when it is bound until its key is invalid.
 */
final class HostWindows {
  private final HostDevice device;
  private final HostQueuePair queuePair;
  private final List<MemoryWindow> all = new ArrayList<>();
  private final ArrayDeque<MemoryWindow> free = new ArrayDeque<>();

  HostWindows(HostDevice device, HostQueuePair queuePair) {
    this.device = device;
    this.queuePair = queuePair;
  }

  /** Lets the controller have {@code bytes} of data of {@code command}, and nothing else, by the transfer's key. */
  void bind(HostTransfer transfer, HostCommand command, int bytes) {
    MemoryRegion region = transfer.region;
    assert region != null;
    MemoryWindow window = free.poll();
    if (window == null) {
      window = device.domain().allocateMemoryWindow();
      all.add(window);
    }
    transfer.window = window;
    transfer.key = window.nextKey();
    int access = command.direction == HostCommand.Direction.OUT ? Access.REMOTE_READ : Access.REMOTE_WRITE;
    queuePair.post(
        device.bind.bind(window, transfer.key, region, transfer.offset, bytes, access).signalled(false),
        "a memory window");
  }

  /** Begins to withdraw the transfer's key, which the controller has not done; completes as {@code id}, then {@link #unbound}. */
  void withdraw(HostTransfer transfer, long id) {
    queuePair.post(device.invalidate.localInvalidate(transfer.key).id(id), "withdrawing a key");
  }

  /** The transfer's key is invalid. */
  void unbound(HostTransfer transfer) {
    MemoryWindow window = transfer.window;
    if (window != null) {
      transfer.window = null;
      free.add(window);
    }
  }

  /** Frees them; the queue pair is closed. */
  void close() {
    all.forEach(MemoryWindow::close);
  }
}
