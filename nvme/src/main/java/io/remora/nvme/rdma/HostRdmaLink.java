package io.remora.nvme.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.nvme.Cqe;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Sqe;
import io.remora.nvme.host.HostCommand;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.MemorySegment;

/**
 * The host's end of one NVMe/RDMA connection (NVMe RDMA Transport 1.0). Lives on one loop.
 *
 * <p>A command's data is exported to the controller by a memory window of its own, bound before the command is sent and unbound before the answer is delivered: by the controller's send with invalidate,
 * or by this end. Small data to the controller travels in the capsule instead. A device without memory windows could only register memory for each request, which takes system calls and
 * pins pages; so all data is copied, through memory of this connection that the controller may touch at any time: what it could do there, it could have sent anyway.
 *
 * <p>Invariants: a receive is posted for each command that may be under way; a command is answered when its capsule has left, its key is withdrawn and its data is in place.
 */
final class HostRdmaLink implements HostLink, HostQueuePair.Handler {
  /** Pieces of a capsule: the command's entry, and data. */
  private static final int MAX_PIECES = 4;
  /** What a work request is, in the low bits of its identifier; its receive's or slot's number is above. */
  private static final int RECEIVE = 0;
  private static final int COMMAND = 1;
  private static final int INVALIDATE = 2;
  private static final int KIND_BITS = 2;

  private final HostDevice device;
  private final HostTransport.Link parameters;
  private final Events events;
  private final RegisteredBytes bytes;
  private final long peerBytes;
  private final HostTransfer[] transfers;
  private final int maxPieces;
  private final HostCapsules capsules;
  private final HostCopies copies;
  private final HostQueuePair queuePair;
  private final HostWindows windows;
  private boolean closed;

  /**
   * A link that does not connect yet.
   *
   * @throws RemoraException NO_RESOURCES when it cannot have the memory that it needs
   */
  HostRdmaLink(HostDevice device, HostTransport.Link parameters, Events events, HostRdmaOptions options) {
    this.device = device;
    this.parameters = parameters;
    this.events = events;
    this.bytes = options.bytes();
    this.maxPieces = Math.min(MAX_PIECES, device.device().attributes().maxPieces());
    this.transfers = new HostTransfer[parameters.slots()];
    for (int i = 0; i < transfers.length; i++) {
      transfers[i] = new HostTransfer(i);
    }
    long copyBytes = HostCopies.ownBytes(device, parameters.queueId(), options);
    this.peerBytes = HostCapsules.bytes(transfers.length, parameters.entries()) + copyBytes;
    bytes.add(parameters.address().getAddress(), peerBytes);
    HostCapsules taken = null;
    try {
      taken = HostCapsules.take(device, transfers.length, parameters.entries());
    } finally {
      if (taken == null) {
        bytes.remove(parameters.address().getAddress(), peerBytes);
      }
    }
    if (taken == null) {
      throw new RemoraException(Status.NO_RESOURCES,
          "no memory for another connection: " + device.pool().usedBytes() + " of " + options.copyBytesPerLoop()
              + " bytes are in use on " + device.loop().name());
    }
    this.capsules = taken;
    this.copies = new HostCopies(device, copyBytes, bytes, this::sendCopied);
    this.queuePair = new HostQueuePair(device, parameters, options.reads(), maxPieces, this);
    this.windows = new HostWindows(device, queuePair);
    device.enter();
  }

  void open() {
    queuePair.open();
  }

  @Override
  public void onMade() {
    for (int i = 0; i < parameters.entries(); i++) {
      postReceive(i);
    }
  }

  @Override
  public void onReady() {
    events.onReady();
  }

  // Commands.

  @Override
  public void send(HostCommand command) {
    HostTransfer transfer = transfers[command.slot];
    transfer.begin(command);
    place(transfer);
    if (transfer.region != null || transfer.inside || command.dataBytes() == 0) {
      post(transfer);
    } else if (copies.take(transfer)) {
      sendCopied(transfer);
    }
  }

  /** Looks whether the command's data can stay where it is: in registered memory, and for a window in one piece. */
  private void place(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    long bytes = command.dataBytes();
    if (bytes == 0) {
      return;
    }
    Sgl data = command.data;
    if (mayTravelInside(command)) {
      transfer.inside = data.count() < maxPieces;
      for (int i = 0; i < data.count() && transfer.inside; i++) {
        transfer.inside = device.find(data.address(i), data.length(i)) != null;
      }
    } else if (device.windows()) {
      long end = data.address(0);
      for (int i = 0; i < data.count(); i++) {
        if (data.address(i) != end) {
          return;
        }
        end += data.length(i);
      }
      MemoryRegion region = device.find(data.address(0), bytes);
      if (region != null) {
        transfer.region = region;
        transfer.offset = data.address(0) - region.segment().address();
      }
    }
  }

  private boolean mayTravelInside(HostCommand command) {
    return command.direction == HostCommand.Direction.OUT && command.dataBytes() <= parameters.inCapsuleBytes();
  }

  /** The command has a copy of its data, or the place for one. */
  private void sendCopied(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    transfer.inside = mayTravelInside(command);
    post(transfer);
  }

  private void post(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    MemorySegment s = capsules.memory();
    long at = capsules.entryAt(transfer.slot);
    command.encode(s, at);
    SendRequest request = device.command.send().id(id(transfer.slot, COMMAND));
    capsules.describe(request, transfer.slot);
    long length = command.dataBytes();
    if (length == 0) {
      Sqe.keyedSgl(s, at, Sqe.SGL_KEYED, 0, 0, 0);
    } else if (transfer.inside) {
      Sqe.sgl(s, at, Sqe.SGL_IN_CAPSULE, 0, length);
      addData(request, transfer, command);
    } else {
      export(transfer, command, (int) length, at);
    }
    transfer.posted = true;
    queuePair.post(request, "a command");
  }

  private void addData(SendRequest request, HostTransfer transfer, HostCommand command) {
    MemoryRegion copied = transfer.region;
    if (copied != null) {
      request.add(copied, transfer.offset, (int) command.dataBytes());
      return;
    }
    Sgl data = command.data;
    for (int i = 0; i < data.count(); i++) {
      MemoryRegion region = device.find(data.address(i), data.length(i));
      assert region != null;
      request.add(region, data.address(i) - region.segment().address(), (int) data.length(i));
    }
  }

  /** Lets the controller have the command's data, and says in the entry how. */
  private void export(HostTransfer transfer, HostCommand command, int length, long at) {
    MemoryRegion region = transfer.region;
    assert region != null;
    long address = region.address() + transfer.offset;
    if (device.windows()) {
      windows.bind(transfer, command, length);
      Sqe.keyedSgl(capsules.memory(), at, device.invalidates() ? Sqe.SGL_KEYED_INVALIDATE : Sqe.SGL_KEYED, address,
          length, transfer.key);
    } else {
      Sqe.keyedSgl(capsules.memory(), at, Sqe.SGL_KEYED, address, length, region.remoteKey());
    }
  }

  private void postReceive(int index) {
    device.receive.id(id(index, RECEIVE));
    capsules.describe(device.receive, index);
    queuePair.post(device.receive);
  }

  private static long id(int index, int kind) {
    return (long) index << KIND_BITS | kind;
  }

  // What completes.

  @Override
  public void onCompletions(WorkCompletions done, int count) {
    for (int i = 0; i < count && !closed; i++) {
      int kind = (int) done.id(i) & (1 << KIND_BITS) - 1;
      int index = (int) (done.id(i) >>> KIND_BITS);
      if (!done.ok(i)) {
        onFailure(kind, done.status(i));
      } else if (kind == RECEIVE) {
        onAnswer(index, done.lengthBytes(i), done.hasInvalidatedKey(i),
            done.hasInvalidatedKey(i) ? done.invalidatedKey(i) : 0);
      } else if (kind == COMMAND) {
        transfers[index].sent = true;
        finish(transfers[index]);
      } else {
        windows.unbound(transfers[index]);
        finish(transfers[index]);
      }
    }
  }

  private void onFailure(int kind, WorkStatus status) {
    String what = kind == RECEIVE ? "a receive" : kind == COMMAND ? "a command" : "withdrawing a key";
    onFailed(Status.DISCONNECTED,
        "the connection to " + parameters.address() + " failed: " + what + ": " + status.text());
  }

  private void onAnswer(int receive, int length, boolean invalidated, int key) {
    MemorySegment s = capsules.memory();
    long at = capsules.responseAt(receive);
    if (length != Cqe.BYTES) {
      onFailed(Status.PROTOCOL_ERROR, "a response of " + length + " bytes");
      return;
    }
    HostCommand command = events.command(Cqe.cid(s, at));
    HostTransfer transfer = command == null ? null : transfers[command.slot];
    if (transfer == null || transfer.command != command || !transfer.posted || transfer.answered) {
      onFailed(Status.PROTOCOL_ERROR, "a response to command " + Cqe.cid(s, at) + ", which is not in flight");
      return;
    }
    if (invalidated && (transfer.window == null || key != transfer.key)) {
      onFailed(Status.PROTOCOL_ERROR, "the response to " + command + " withdraws a key that is not its own");
      return;
    }
    transfer.answered = true;
    transfer.result = Cqe.result(s, at);
    transfer.sqhd = Cqe.sqhd(s, at);
    transfer.status = Cqe.status(s, at);
    postReceive(receive);
    if (invalidated) {
      windows.unbound(transfer);
    } else if (transfer.window != null) {
      windows.withdraw(transfer, id(transfer.slot, INVALIDATE));
    }
    finish(transfer);
  }

  /** Delivers the answer when nothing works with the command's memory any more. */
  private void finish(HostTransfer transfer) {
    HostCommand command = transfer.command;
    if (closed || command == null || !transfer.answered || !transfer.sent || transfer.window != null) {
      return;
    }
    copies.takeBack(transfer, NvmeStatus.isSuccess(transfer.status));
    transfer.command = null;
    transfer.region = null;
    events.onResponse(command, transfer.result, transfer.sqhd, transfer.status);
  }

  // The end.

  @Override
  public void onFailed(Status reason, String text) {
    if (!closed) {
      close(true);
      events.onFailed(reason, text);
    }
  }

  @Override
  public void close(boolean abruptly) {
    if (closed) {
      return;
    }
    closed = true;
    queuePair.close(abruptly);
    windows.close();
    copies.close(transfers);
    capsules.release();
    bytes.remove(parameters.address().getAddress(), peerBytes);
    device.leave();
  }
}
