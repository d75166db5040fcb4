package io.remora.nvme.rdma;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.Cqe;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Sqe;
import io.remora.nvme.host.HostCommand;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of one NVMe/RDMA connection (NVMe RDMA Transport 1.0). Lives on one loop.
 *
 * <p>A command's data is exported to the controller by a memory window of its own, bound before the command is sent and unbound before the answer is delivered: by the controller's send with invalidate,
 * or by this end. Small data to the controller travels in the capsule instead. A device without memory windows could only register memory for each request, which takes system calls and
 * pins pages; so all data is copied, through memory of this connection that the controller may touch at any time: what it could do there, it could have sent anyway.
 *
 * <p>Invariants: a receive is posted for each command that may be under way; a command is answered when its capsule has left, its key is withdrawn and its data is in place.
 */
final class HostRdmaLink implements HostLink, CmId.Handler {
  private static final int POLLS_PER_TURN = 4;
  /** Pieces of a capsule: the command's entry, and data. */
  private static final int MAX_PIECES = 4;
  private static final long EXPORTED_ARENA_BYTES = 2 << 20;
  /** What a work request is, in the low bits of its identifier; its receive's or slot's number is above. */
  private static final int RECEIVE = 0;
  private static final int COMMAND = 1;
  private static final int INVALIDATE = 2;
  private static final int KIND_BITS = 2;

  private final HostDevice device;
  private final HostTransport.Link parameters;
  private final Events events;
  private final HostRdmaOptions options;
  private final long peerBytes;
  private final HostTransfer[] transfers;
  private final int entries;
  private final int maxPieces;
  private final Buffer headers;
  private final MemoryRegion headerRegion;
  private final long headerOffset;
  /** For copies: the loop's memory behind windows, or memory of this connection's own. */
  private final BufferPool pool;
  private final BufferPool.Owner owner;
  private final @Nullable RegisteredPool exported;
  private final RegisteredPool copies;
  private final ArrayDeque<MemoryWindow> freeWindows = new ArrayDeque<>();
  private final List<MemoryWindow> windows = new ArrayList<>();
  private final BufferPool.Waiter waiter = new BufferPool.Waiter() {
    @Override
    protected void onBuffer(Buffer buffer) {
      onMemory(buffer);
    }
  };
  private final Timer pollOn;
  private @Nullable HostTransfer waiting;
  private @Nullable HostTransfer lastWaiting;
  private @Nullable CmId id;
  private @Nullable CompletionQueue completions;
  private @Nullable QueuePair queuePair;
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
    this.options = options;
    this.entries = parameters.entries();
    this.pollOn = device.loop().timer(this::poll);
    this.maxPieces = Math.min(MAX_PIECES, device.device().attributes().maxPieces());
    this.transfers = new HostTransfer[parameters.slots()];
    for (int i = 0; i < transfers.length; i++) {
      transfers[i] = new HostTransfer(i);
    }
    long headerBytes = (long) transfers.length * Sqe.BYTES + (long) entries * Cqe.BYTES;
    long exportedBytes = device.windows()
        ? 0
        : parameters.queueId() == 0 ? EXPORTED_ARENA_BYTES : options.copyBytesPerQueue();
    this.peerBytes = headerBytes + exportedBytes;
    options.bytes().add(parameters.address().getAddress(), peerBytes);
    Buffer taken = null;
    try {
      taken = device.pool().take(device.owner(), headerBytes);
    } finally {
      if (taken == null) {
        options.bytes().remove(parameters.address().getAddress(), peerBytes);
      }
    }
    if (taken == null) {
      throw new RemoraException(Status.NO_RESOURCES,
          "no memory for another connection: " + device.pool().usedBytes() + " of " + options.copyBytesPerLoop()
              + " bytes are in use on " + device.loop().name());
    }
    this.headers = taken;
    this.headerRegion = device.registered().region(taken.segment());
    this.headerOffset = taken.segment().address() - headerRegion.segment().address();
    if (device.windows()) {
      this.pool = device.pool();
      this.owner = device.owner();
      this.exported = null;
      this.copies = device.registered();
    } else {
      this.pool = new BufferPool(device.loop(), EXPORTED_ARENA_BYTES, exportedBytes);
      this.owner = pool.owner("copies", exportedBytes);
      this.copies = RegisteredPool.open(pool, device.domain(),
          Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE, options.bytes());
      this.exported = copies;
    }
    device.enter();
  }

  void open() {
    id = device.device().connectionManager().resolve(parameters.address(), QueuePairType.RC, this);
  }

  // The connection.

  @Override
  public void onResolved() {
    CmId own = id;
    if (closed || own == null) {
      return;
    }
    try {
      DeviceAttributes attributes = device.device().attributes();
      // For each command: bind, send, invalidate.
      int sends = 3 * entries;
      if (sends > attributes.maxWorkRequests()) {
        throw new RemoraException(Status.NO_RESOURCES,
            "queues of " + entries + " entries are too deep for " + attributes.name() + ": at most "
                + attributes.maxWorkRequests() / 3);
      }
      CompletionQueue made = device.device().createCompletionQueue(sends + entries, this::poll);
      completions = made;
      queuePair = own.createQueuePair(device.domain(),
          QueuePairConfig.rc(made, sends, entries).withRequests(maxPieces, 0));
      for (int i = 0; i < entries; i++) {
        postReceive(i);
      }
      made.requestNotify(false);
      PrivateData.Request request = new PrivateData.Request(PrivateData.FORMAT, parameters.queueId(), entries,
          entries - 1, 0);
      own.connect(new CmId.Parameters(request.encode(), Math.min(options.reads(), attributes.maxReads()), 0));
    } catch (RemoraException e) {
      fail(e.status(), e.getMessage());
    }
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    MemorySegment data = connection.privateData();
    if (data.byteSize() < PrivateData.BYTES) {
      fail(Status.PROTOCOL_ERROR,
          "the controller accepts with " + data.byteSize() + " bytes of private data, not " + PrivateData.BYTES);
      return;
    }
    PrivateData.Accept accept = PrivateData.Accept.parse(data);
    if (accept.format() != PrivateData.FORMAT) {
      fail(Status.PROTOCOL_ERROR, "the controller accepts in format " + accept.format());
    } else if (accept.receives() < entries - 1) {
      fail(Status.NO_RESOURCES, "the controller has receives for " + accept.receives() + " commands, fewer than the "
          + (entries - 1) + " of the queue");
    } else {
      events.onReady();
    }
  }

  @Override
  public void onRejected(int reason, MemorySegment data) {
    String why = "reason " + reason;
    Status status = Status.DENIED;
    if (data.byteSize() >= PrivateData.REJECT_BYTES) {
      PrivateData.Reject reject = PrivateData.Reject.parse(data);
      RejectStatus known = RejectStatus.of(reject.status());
      why = known == null ? "status " + reject.status() : known.text();
      status = known == RejectStatus.NO_RESOURCES ? Status.NO_RESOURCES : Status.DENIED;
    }
    fail(status, parameters.address() + " rejects queue " + parameters.queueId() + ": " + why);
  }

  @Override
  public void onFailed(Status reason, String text) {
    fail(reason.isOk() ? Status.DISCONNECTED : reason, "no connection to " + parameters.address() + ": " + text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    fail(reason.isOk() ? Status.DISCONNECTED : reason, reason.isOk()
        ? parameters.address() + " closed the connection"
        : "the connection to " + parameters.address() + " failed: " + text);
  }

  // Commands.

  @Override
  public void send(HostCommand command) {
    HostTransfer transfer = transfers[command.slot];
    transfer.begin(command);
    place(transfer);
    if (transfer.region != null || transfer.inside || command.dataBytes() == 0) {
      post(transfer);
    } else if (waiting == null) {
      Buffer buffer = pool.take(owner, command.dataBytes());
      if (buffer == null) {
        await(transfer);
      } else {
        copyTo(transfer, buffer);
        post(transfer);
      }
    } else {
      await(transfer);
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

  private void copyTo(HostTransfer transfer, Buffer buffer) {
    HostCommand command = transfer.command;
    assert command != null;
    transfer.copy = buffer;
    MemoryRegion region = copies.region(buffer.segment());
    transfer.region = region;
    transfer.offset = buffer.segment().address() - region.segment().address();
    transfer.inside = mayTravelInside(command);
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
    if (first == null) {
      buffer.release();
      return;
    }
    waiting = first.next;
    first.next = null;
    if (waiting == null) {
      lastWaiting = null;
    }
    copyTo(first, buffer);
    post(first);
    awaitMemory();
  }

  private void post(HostTransfer transfer) {
    HostCommand command = transfer.command;
    QueuePair to = queuePair;
    assert command != null && to != null;
    MemorySegment s = headers.segment();
    long at = entryAt(transfer.slot);
    command.encode(s, at);
    SendRequest request = device.command.send().id((long) transfer.slot << KIND_BITS | COMMAND).piece(headerRegion,
        headerOffset + at, Sqe.BYTES);
    long bytes = command.dataBytes();
    if (bytes == 0) {
      Sqe.keyedSgl(s, at, Sqe.SGL_KEYED, 0, 0, 0);
    } else if (transfer.inside) {
      Sqe.sgl(s, at, Sqe.SGL_IN_CAPSULE, 0, bytes);
      addData(request, transfer, command);
    } else {
      export(transfer, command, (int) bytes, at);
    }
    transfer.posted = true;
    posted(to.postSend(request), "a command");
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

  /** Lets the controller have the command's data, and nothing else, and says in the entry how. */
  private void export(HostTransfer transfer, HostCommand command, int bytes, long at) {
    MemoryRegion region = transfer.region;
    QueuePair to = queuePair;
    assert region != null && to != null;
    long address = region.address() + transfer.offset;
    if (!device.windows()) {
      Sqe.keyedSgl(headers.segment(), at, Sqe.SGL_KEYED, address, bytes, region.remoteKey());
      return;
    }
    MemoryWindow window = freeWindows.poll();
    if (window == null) {
      window = device.domain().allocateMemoryWindow();
      windows.add(window);
    }
    transfer.window = window;
    transfer.key = window.nextKey();
    int access = command.direction == HostCommand.Direction.OUT ? Access.REMOTE_READ : Access.REMOTE_WRITE;
    posted(to.postSend(device.bind.bind(window, transfer.key, region, transfer.offset, bytes, access).signalled(false)),
        "a memory window");
    Sqe.keyedSgl(headers.segment(), at, device.invalidates() ? Sqe.SGL_KEYED_INVALIDATE : Sqe.SGL_KEYED, address, bytes,
        transfer.key);
  }

  private void posted(Status status, String what) {
    if (!status.isOk()) {
      // Not from within the owner's call.
      device.loop().defer(() -> fail(Status.INTERNAL, what + " could not be posted: " + status.text()));
    }
  }

  private void postReceive(int index) {
    QueuePair to = queuePair;
    if (to != null && !closed) {
      device.receive.id((long) index << KIND_BITS | RECEIVE).piece(headerRegion, headerOffset + answerAt(index),
          Cqe.BYTES);
      posted(to.postReceive(device.receive), "a receive");
    }
  }

  private static long entryAt(int slot) {
    return (long) slot * Sqe.BYTES;
  }

  private long answerAt(int receive) {
    return (long) transfers.length * Sqe.BYTES + (long) receive * Cqe.BYTES;
  }

  // What completes.

  private void poll() {
    CompletionQueue from = completions;
    boolean asked = false;
    for (int round = 0; round < POLLS_PER_TURN && from != null && !closed;) {
      WorkCompletions done = device.completions;
      int count = from.poll(done);
      if (count > 0) {
        round++;
        take(done, count);
      } else if (asked) {
        return;
      } else {
        asked = true;
        from.requestNotify(false);
      }
    }
    if (!closed) {
      pollOn.arm(0);
    }
  }

  private void take(WorkCompletions done, int count) {
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
        unbound(transfers[index]);
        finish(transfers[index]);
      }
    }
  }

  private void onFailure(int kind, WorkStatus status) {
    String what = kind == RECEIVE ? "a receive" : kind == COMMAND ? "a command" : "withdrawing a key";
    fail(Status.DISCONNECTED, "the connection to " + parameters.address() + " failed: " + what + ": " + status.text());
  }

  private void onAnswer(int receive, int length, boolean invalidated, int key) {
    MemorySegment s = headers.segment();
    long at = answerAt(receive);
    if (length != Cqe.BYTES) {
      fail(Status.PROTOCOL_ERROR, "a response of " + length + " bytes");
      return;
    }
    HostCommand command = events.command(Cqe.cid(s, at));
    HostTransfer transfer = command == null ? null : transfers[command.slot];
    if (transfer == null || transfer.command != command || !transfer.posted || transfer.answered) {
      fail(Status.PROTOCOL_ERROR, "a response to command " + Cqe.cid(s, at) + ", which is not in flight");
      return;
    }
    if (invalidated && (transfer.window == null || key != transfer.key)) {
      fail(Status.PROTOCOL_ERROR, "the response to " + command + " withdraws a key that is not its own");
      return;
    }
    transfer.answered = true;
    transfer.result = Cqe.result(s, at);
    transfer.sqhd = Cqe.sqhd(s, at);
    transfer.status = Cqe.status(s, at);
    postReceive(receive);
    if (invalidated) {
      unbound(transfer);
    } else if (transfer.window != null) {
      QueuePair to = queuePair;
      assert to != null;
      posted(
          to.postSend(
              device.invalidate.localInvalidate(transfer.key).id((long) transfer.slot << KIND_BITS | INVALIDATE)),
          "withdrawing a key");
    }
    finish(transfer);
  }

  private void unbound(HostTransfer transfer) {
    MemoryWindow window = transfer.window;
    if (window != null) {
      transfer.window = null;
      freeWindows.add(window);
    }
  }

  /** Delivers the answer when nothing works with the command's memory any more. */
  private void finish(HostTransfer transfer) {
    HostCommand command = transfer.command;
    if (closed || command == null || !transfer.answered || !transfer.sent || transfer.window != null) {
      return;
    }
    Buffer copy = transfer.copy;
    if (copy != null) {
      transfer.copy = null;
      if (command.direction == HostCommand.Direction.IN && NvmeStatus.isSuccess(transfer.status)) {
        command.data.copyFrom(0, copy.segment(), 0, command.dataBytes());
      }
      copy.release();
    }
    transfer.command = null;
    transfer.region = null;
    events.onResponse(command, transfer.result, transfer.sqhd, transfer.status);
  }

  // The end.

  private void fail(Status reason, String text) {
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
    CmId own = id;
    if (own != null && !abruptly) {
      own.disconnect();
    }
    QueuePair pair = queuePair;
    if (pair != null) {
      pair.close();
    }
    if (own != null) {
      own.close();
    }
    CompletionQueue made = completions;
    if (made != null) {
      made.close();
    }
    pollOn.cancel();
    pool.cancel(waiter);
    windows.forEach(MemoryWindow::close);
    for (HostTransfer transfer : transfers) {
      Buffer copy = transfer.copy;
      if (copy != null) {
        transfer.copy = null;
        copy.release();
      }
    }
    headers.release();
    RegisteredPool ours = exported;
    if (ours != null) {
      ours.close();
      pool.close();
    }
    options.bytes().remove(parameters.address().getAddress(), peerBytes);
    device.leave();
  }
}
