package io.remora.nvme.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.target.Command;
import io.remora.nvme.target.Deadlines;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.LoopSeats;
import io.remora.nvme.target.Port;
import io.remora.nvme.target.QueuePair;
import io.remora.nvme.target.Transport;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The target's end of one NVMe/RDMA connection, which carries one queue. Belongs to one loop.
 *
 * <p>A command arrives by a receive of its own; data is read from and written to the host's memory straight from and to I/O buffers or a block device's memory, and data that came in a capsule stays where it
 * came. Before a command is answered its receive is posted again, so that there is one for whatever the host may send next.
 *
 * <p>Invariants: a slot is free when its last request has completed; any failed completion ends the connection,
 * as NVMe RDMA Transport 1.0 asks; a peer that lets nothing complete for too long is dropped, and so is one that does not come to Connect in time.
 */
final class TargetConnection implements Transport, CmId.Handler {
  private enum State {
    /** Accepted; the host has not been heard of. */
    ACCEPTED,
    /** Commands come and go. */
    OPEN,
    /** Nothing is taken any more; what was answered is sent. */
    DRAINING,
    /** Everything was sent; the connection comes down. */
    LINGERING, CLOSED
  }

  private static final System.Logger LOG = System.getLogger(TargetConnection.class.getName());
  private static final int POLLS_PER_TURN = 4;
  /** As the kinds of {@link TargetRequests}; the receive's number is above. */
  private static final int RECEIVE = 0;
  private static final int KIND_MASK = (1 << TargetRequests.KIND_BITS) - 1;

  private final TargetDevice device;
  private final LoopContext context;
  private final LoopSeats.Seat seat;
  private final RdmaTargetOptions options;
  private final ConnectionTerms terms;
  private final InetSocketAddress remote;
  private final ConnectionMemory memory;
  private final Limits limits;
  private final int sends;
  private final boolean inline;
  private final QueuePair queue;
  private final TargetSlot[] slots;
  private final int[] free;
  private int freeCount;
  private final ArrivedCapsules arrived;
  private final TargetRequests requests;
  private final Deadlines deadlines;
  private final Timer pollOn;
  private @Nullable CompletionQueue completions;
  private @Nullable CmId id;
  private io.remora.verbs.@Nullable QueuePair verbs;
  private State state = State.ACCEPTED;

  private TargetConnection(TargetDevice device, InetSocketAddress remote, ConnectionTerms terms,
      RdmaTargetOptions options, LoopSeats.Seat seat,
      ConnectionMemory memory) {
    this.device = device;
    this.context = device.context;
    this.remote = remote;
    this.terms = terms;
    this.options = options;
    this.seat = seat;
    this.memory = memory;
    int entries = terms.entries();
    int slotCount = slots(entries);
    DeviceAttributes attributes = device.device.attributes();
    this.limits = new Limits(Port.TransportType.RDMA, terms.queueId(), entries,
        Math.min(options.queueEntries(), context.target().config().queueEntries()), options.inCapsuleBytes());
    this.sends = Math.min(2 * slotCount, attributes.maxWorkRequests());
    this.inline = attributes.maxInlineBytes() >= Cqe.BYTES;
    this.slots = new TargetSlot[slotCount];
    this.free = new int[slotCount];
    this.arrived = new ArrivedCapsules(entries);
    this.pollOn = context.loop().timer(this::poll);
    this.queue = new QueuePair(context, this);
    this.requests = new TargetRequests(device, queue, memory, sends, inline, this::refused);
    this.deadlines = new Deadlines(context, queue, this, requests);
    for (int i = slotCount - 1; i >= 0; i--) {
      slots[i] = new TargetSlot(queue, i);
      queue.add(slots[i]);
      free[freeCount++] = i;
    }
  }

  /** Twice as many as there may be commands: the host may send the next one before the answer to the last is known to have come. */
  private static int slots(int entries) {
    return 2 * entries;
  }

  private static int capsuleBytes(ConnectionTerms terms, RdmaTargetOptions options) {
    return terms.queueId() == 0 ? 0 : options.inCapsuleBytes();
  }

  private static long ownBytes(ConnectionTerms terms, RdmaTargetOptions options) {
    return ConnectionMemory.bytes(terms.entries(), slots(terms.entries()), capsuleBytes(terms, options));
  }

  /**
   * Serves a host whose request has been looked at, on the loop of {@code device}, or rejects it.
   *
   * @throws RemoraException when there is no room; the request and the seat are the caller's then
   */
  static void serve(TargetDevice device, CmRequest request, ConnectionTerms terms, RdmaTargetOptions options,
      LoopSeats.Seat seat) {
    LoopContext context = device.context;
    InetSocketAddress remote = request.remoteAddress();
    long bytes = ownBytes(terms, options);
    options.bytes().add(remote.getAddress(), bytes);
    ConnectionMemory memory = null;
    boolean entered = context.target().enterConnection();
    try {
      memory = entered
          ? ConnectionMemory.take(device, terms.entries(), slots(terms.entries()), capsuleBytes(terms, options))
          : null;
    } finally {
      if (memory == null) {
        options.bytes().remove(remote.getAddress(), bytes);
        if (entered) {
          context.target().leaveConnection();
        }
      }
    }
    if (memory == null) {
      if (context.turnAway()) {
        LOG.log(System.Logger.Level.WARNING,
            "{0}: turned away, there are too many connections; so may others be, which is not told for a minute",
            remote);
      }
      throw new Rejection(RejectStatus.NO_RESOURCES, "too many connections");
    }
    TargetConnection connection = new TargetConnection(device, remote, terms, options, seat, memory);
    device.enter(connection);
    if (connection.queue.open()) {
      context.newcomer(connection);
      connection.deadlines.awaitConnect();
      connection.accept(request);
    } else {
      connection.idle();
      throw new Rejection(RejectStatus.NO_RESOURCES, "the target closes");
    }
  }

  private void accept(CmRequest request) {
    try {
      DeviceAttributes attributes = device.device.attributes();
      CompletionQueue made = device.device.createCompletionQueue(sends + terms.entries(), this::poll);
      completions = made;
      CmId own = request.attach(device.device, this);
      id = own;
      io.remora.verbs.QueuePair pair = own.createQueuePair(device.domain,
          QueuePairConfig.rc(made, sends, terms.entries()).withRequests(2, inline ? Cqe.BYTES : 0));
      verbs = pair;
      requests.begin(pair);
      for (int i = 0; i < terms.entries(); i++) {
        postReceive(i);
      }
      made.requestNotify(false);
      int depth = Math.min(terms.reads(), Math.min(options.reads(), attributes.maxReads()));
      own.accept(new CmId.Parameters(new PrivateData.Accept(PrivateData.FORMAT, terms.entries()).encode(),
          Math.min(terms.serves(), attributes.maxReads()), depth));
    } catch (RemoraException e) {
      CmId own = id;
      if (own == null) {
        close("there is no room: " + e.getMessage());
        throw e;
      }
      LOG.log(System.Logger.Level.WARNING, "{0}: rejected: {1}", remote, e.getMessage());
      own.reject(RejectStatus.NO_RESOURCES.encode());
      close("there is no room: " + e.getMessage());
    }
  }

  // The connection.

  @Override
  public void onEstablished(CmId.Established connection) {
    if (state == State.ACCEPTED) {
      state = State.OPEN;
      serveArrived();
    }
  }

  @Override
  public void onFailed(Status reason, String text) {
    close("the connection could not be made: " + text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    close(reason.isOk() ? "the host has ended the connection" : "the connection has failed: " + text);
  }

  // What completes.

  private void poll() {
    CompletionQueue from = completions;
    boolean asked = false;
    for (int round = 0; round < POLLS_PER_TURN && from != null && state != State.CLOSED;) {
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
    if (state != State.CLOSED) {
      pollOn.arm(0);
    }
  }

  private void take(WorkCompletions done, int count) {
    for (int i = 0; i < count && state != State.CLOSED; i++) {
      int index = (int) (done.id(i) >>> TargetRequests.KIND_BITS);
      int kind = (int) done.id(i) & KIND_MASK;
      if (!done.ok(i)) {
        onFailure(kind, done.status(i));
        continue;
      }
      switch (kind) {
        case RECEIVE -> onReceive(index, done.lengthBytes(i));
        case TargetRequests.READ -> onRead(slots[index]);
        default -> onResponse(slots[index]);
      }
    }
  }

  private void onFailure(int kind, WorkStatus status) {
    if (state == State.LINGERING) {
      return;
    }
    close((kind == RECEIVE ? "a receive" : kind == TargetRequests.READ ? "a read from the host" : "an answer")
        + " failed: "
        + status.text());
  }

  private void onReceive(int receive, int length) {
    if (state == State.DRAINING || state == State.LINGERING || queue.draining()) {
      return;
    }
    if (length < Sqe.BYTES) {
      terminate("a command capsule of " + length + " bytes");
      return;
    }
    if (!arrived.isEmpty() || freeCount == 0 || !stands()) {
      arrived.add(receive, length);
    } else {
      submit(receive, length);
    }
  }

  /** Whether answers can be sent: a first command may come before the connection manager says that the connection stands. */
  private boolean stands() {
    io.remora.verbs.QueuePair pair = verbs;
    return state == State.OPEN || (pair != null && pair.state() == QueuePairState.READY_TO_SEND);
  }

  private void serveArrived() {
    while (!arrived.isEmpty() && freeCount > 0 && (state == State.OPEN || state == State.ACCEPTED)) {
      int receive = arrived.firstReceive();
      int length = arrived.firstLength();
      arrived.remove();
      if (!queue.draining()) {
        submit(receive, length);
      }
    }
  }

  private void submit(int receive, int length) {
    TargetSlot slot = slots[free[--freeCount]];
    slot.receive = receive;
    queue.submitInPlace(slot, memory.entries(), memory.entryAt(receive), memory.capsule(receive), length - Sqe.BYTES);
  }

  private void onRead(TargetSlot slot) {
    requests.fetched(slot);
    if (state == State.OPEN || state == State.ACCEPTED) {
      queue.fetched(slot, true);
    }
  }

  private void onResponse(TargetSlot slot) {
    requests.responded(slot);
    free[freeCount++] = slot.index;
    queue.release(slot);
    if (state == State.DRAINING) {
      disconnectWhenSent();
    } else {
      serveArrived();
    }
  }

  // What the queue asks for.

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public boolean acceptsSgl(int type) {
    return type == Sqe.SGL_KEYED || type == Sqe.SGL_KEYED_INVALIDATE;
  }

  @Override
  public boolean movesAtOnce() {
    return device.lent != null;
  }

  @Override
  public void connected(int entries) {
    deadlines.connected();
    context.notNew(this);
    if (queue.admin()) {
      seat.leave();
    }
  }

  @Override
  public void fetch(Command command) {
    requests.fetch((TargetSlot) command);
    watchPeer();
  }

  @Override
  public void respond(Command command) {
    TargetSlot slot = (TargetSlot) command;
    returnReceive(slot);
    requests.respond(slot);
    watchPeer();
  }

  @Override
  public void forget(Command command) {
    TargetSlot slot = (TargetSlot) command;
    returnReceive(slot);
    free[freeCount++] = slot.index;
  }

  /** Data in a capsule stays where it came: there is nothing to wait for. */
  @Override
  public void resume() {}

  private void returnReceive(TargetSlot slot) {
    int receive = slot.receive;
    slot.receive = TargetSlot.NONE;
    if (receive != TargetSlot.NONE && state != State.CLOSED) {
      postReceive(receive);
    }
  }

  private void postReceive(int index) {
    memory.describe(device.receive.id((long) index << TargetRequests.KIND_BITS | RECEIVE), index);
    io.remora.verbs.QueuePair pair = verbs;
    if (pair != null) {
      Status posted = pair.postReceive(device.receive);
      if (!posted.isOk()) {
        // Not from within the queue's call.
        context.loop().defer(() -> refused("a receive", posted));
      }
    }
  }

  private void refused(String what, Status posted) {
    LOG.log(System.Logger.Level.WARNING, "{0}: {1} cannot be posted: {2}", remote, what, posted.text());
    close(what + " could not be posted");
  }

  private void watchPeer() {
    if (state == State.OPEN) {
      deadlines.watch();
    }
  }

  // The end.

  @Override
  public void terminate(String why) {
    if (state != State.OPEN && state != State.ACCEPTED) {
      return;
    }
    log(why);
    state = State.DRAINING;
    context.notNew(this);
    queue.closed();
    deadlines.awaitEnd();
    disconnectWhenSent();
  }

  private void disconnectWhenSent() {
    CmId own = id;
    if (!requests.sending() && own != null) {
      state = State.LINGERING;
      requests.end();
      own.disconnect();
    }
  }

  @Override
  public void drop(String why) {
    close(why);
  }

  private void close(String why) {
    if (state == State.CLOSED) {
      return;
    }
    if (state != State.DRAINING && state != State.LINGERING) {
      log(why);
    }
    state = State.CLOSED;
    seat.leave();
    context.notNew(this);
    queue.closed();
    deadlines.cancel();
    requests.end();
    pollOn.cancel();
    io.remora.verbs.QueuePair pair = verbs;
    if (pair != null) {
      pair.close();
    }
    CmId own = id;
    if (own != null) {
      own.close();
    }
    CompletionQueue made = completions;
    if (made != null) {
      made.close();
    }
    for (TargetSlot slot : slots) {
      queue.abandon(slot);
    }
    queue.detach();
  }

  @Override
  public void idle() {
    memory.release();
    options.bytes().remove(remote.getAddress(), ownBytes(terms, options));
    context.target().leaveConnection();
    device.leave(this);
  }

  private void log(String why) {
    LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", remote, why);
  }

  @Override
  public InetSocketAddress localAddress() {
    CmId own = id;
    return own == null ? remote : own.localAddress();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return remote;
  }
}
