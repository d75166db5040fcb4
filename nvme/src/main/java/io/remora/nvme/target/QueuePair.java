package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One submission and completion queue of a controller, whatever carries it: the state machine from Connect to the end. Memory for commands is {@link QueueMemory}'s. Belongs to its connection's loop. For transports.
 *
 * <p>A command goes: {@link #submit}: decode and check → memory ({@link Command.State#WAITING} when there is none) → {@link
 * Transport#fetch} when the host's data is not in the capsule → execute → {@link Transport#respond} → {@link #release}.
 *
 * <p>Invariants: no command takes memory before its fields have been checked; after
 * {@link #closed} nothing is sent, and memory goes back when no device works with it any more.
 */
public final class QueuePair {
  private enum State {
    NEW, CONNECTING, LIVE, CLOSED
  }

  private final LoopContext context;
  private final Transport transport;
  private final CommandDecoder decoder = new CommandDecoder(new FabricsCommands(this));
  private final FusedPairs fused = new FusedPairs(this);
  private final SubmissionQueue submissions = new SubmissionQueue();
  private final CommandSlots slots = new CommandSlots();
  private final QueueMemory memory;
  private final int maxTransferBytes;
  private final boolean borrows;
  private State state = State.NEW;
  private @Nullable Controller controller;
  private int id;
  /** What {@link #movedSince} saw last. */
  private int seenConsumed;
  private int seenExecuting;
  private boolean draining;
  private boolean detached;
  private boolean quiet;

  /** A queue pair that expects Connect. */
  public QueuePair(LoopContext context, Transport transport) {
    this.context = context;
    this.transport = transport;
    this.memory = new QueueMemory(context, this);
    this.borrows = transport.movesAtOnce();
    this.maxTransferBytes = context.target().config().maxTransferBytes();
  }

  /** Begins; false when the target closes, then nothing else may be called. */
  public boolean open() {
    return context.enter(this);
  }

  /** Whether Connect has succeeded and the queue is not closed. */
  public boolean live() {
    return state == State.LIVE;
  }

  /** Whether the host wants to know how far its queue is consumed; if not, the last data may stand for the response. */
  public boolean flowControl() {
    return submissions.flowControl();
  }

  /** SQHD for the response of {@code command}. */
  public int sqhd(Command command) {
    return submissions.sqhd(command);
  }

  /**
   * Takes a command.
   *
   * @param c a free slot
   * @param s where its entry stands, at {@code base}
   * @param capsule where in {@code s} the data in its capsule begins
   * @param capsuleLength how much that is, in bytes
   * @param intact whether that data is as it was sent
   * @return false when it brings data for which there is no memory now: nothing has happened, the slot is free, and {@link
   *     Transport#resume} will be called
   */
  public boolean submit(Command c, MemorySegment s, long base, long capsule, int capsuleLength, boolean intact) {
    c.load(s, base, capsuleLength);
    int status = decoder.decode(c, live());
    if (status == NvmeStatus.SUCCESS && !intact) {
      status = NvmeStatus.TRANSIENT_TRANSPORT_ERROR;
    }
    if (status == NvmeStatus.SUCCESS && c.inCapsule()) {
      if (!memory.takeForCapsule(c)) {
        return false;
      }
      MemorySegment.copy(s, capsule + c.sglAddress, c.memory(), 0, c.dataBytes);
    }
    begin(c, status);
    return true;
  }

  /**
   * Takes a command whose transport keeps the data in its capsule where it came, so that nobody copies it: the memory is lent to the
   * command until {@link Transport#respond}, {@link Transport#forget} or {@link Transport#idle}.
   *
   * @param c a free slot
   * @param s where its entry stands, at {@code base}
   * @param capsule the memory of the data
   * @param capsuleLength how much came, in bytes
   */
  public void submitInPlace(Command c, MemorySegment s, long base, MemorySegment capsule, int capsuleLength) {
    c.load(s, base, capsuleLength);
    int status = decoder.decode(c, live());
    if (status == NvmeStatus.SUCCESS && c.inCapsule()) {
      c.lend(capsule);
    }
    begin(c, status);
  }

  private void begin(Command c, int decoded) {
    int status = decoded;
    submissions.consume();
    slots.move(c, Command.State.EXECUTING);
    if ((c.flags & FusedPairs.MASK) != 0 || fused.expecting()) {
      status = fused.arrived(c, status);
    }
    if (status != NvmeStatus.SUCCESS) {
      finish(c, status);
    } else if (c.memoryBytes == 0 || c.inCapsule()) {
      c.set.execute(c);
    } else if (borrows && c.set.borrow(c)) {
      proceed(c);
    } else {
      memory.takeOrWait(c);
    }
  }

  /** The data of {@code command}, which {@link Transport#fetch} was asked for, has come. */
  public void fetched(Command command, boolean intact) {
    assert command.state == Command.State.FETCHING;
    slots.move(command, Command.State.EXECUTING);
    if (intact) {
      command.set.execute(command);
    } else if ((command.flags & FusedPairs.MASK) != 0) {
      fused.fail(command, NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
    } else {
      command.set.dropped(command);
      finish(command, NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
    }
  }

  /** The response of {@code command} is on its way: the slot and its memory are free. */
  public void release(Command command) {
    slots.move(command, Command.State.FREE);
    if (memory.takeBack(command)) {
      memory.serveWaiting();
    }
    if (draining) {
      endIfDrained();
    }
  }

  /** Whether no more commands are to be brought: {@link Transport} forgets them. */
  public boolean draining() {
    return draining;
  }

  /** Memory that its commands hold, in bytes. */
  public long usedBytes() {
    return memory.usedBytes();
  }

  /** Whether it waits for memory that others have. */
  boolean waitsForMemory() {
    return memory.waits();
  }

  /** Takes no more commands; an I/O queue ends when those that it has are answered, a connection without a queue now. */
  void drain(String why) {
    if (state != State.LIVE) {
      terminate(why);
    } else if (id != 0) {
      draining = true;
      endIfDrained();
    }
  }

  private void endIfDrained() {
    if (slots.drained()) {
      terminate("the target shuts down");
    }
  }

  /**
   * The connection is at its end: no command is taken and none is answered any more; what was responded before may still be sent. When the
   * connection is gone, {@link #abandon} each slot, then {@link #detach}.
   */
  public void closed() {
    if (state == State.CLOSED) {
      return;
    }
    state = State.CLOSED;
    memory.close();
    Controller of = controller;
    if (of != null) {
      of.post(() -> of.queueClosed(this));
      tellQuiet();
    }
  }

  /** Tells the controller, once, that no command of this queue is being carried out any more. */
  private void tellQuiet() {
    Controller of = controller;
    if (of != null && slots.executing() == 0 && !quiet) {
      quiet = true;
      of.post(() -> of.queueQuiet(this));
    }
  }

  /** After {@link #closed}, for each slot: it is free now, or will be when what works on it ends. Nothing of it is being sent. */
  public void abandon(Command command) {
    assert state == State.CLOSED;
    if (command.state == Command.State.FETCHING) {
      command.set.dropped(command);
    }
    if (command.state != Command.State.FREE && command.state != Command.State.EXECUTING) {
      release(command);
    }
  }

  /** After {@link #closed} and {@link #abandon}: {@link Transport#idle} is called as soon as it holds, perhaps at once. */
  public void detach() {
    detached = true;
    tellQuiet();
    settle();
  }

  private void settle() {
    if (detached && slots.executing() == 0) {
      detached = false;
      assert memory.usedBytes() == 0 : memory.usedBytes();
      transport.idle();
      context.leave(this);
    }
  }

  /** Ends the connection. */
  void terminate(String why) {
    if (state != State.CLOSED) {
      transport.terminate(why);
    }
  }

  /** Whether a command has come or ended since this was asked last: the host is alive. Costs commands nothing. */
  boolean movedSince() {
    boolean moved = submissions.consumed() != seenConsumed || slots.executing() != seenExecuting;
    seenConsumed = submissions.consumed();
    seenExecuting = slots.executing();
    return moved;
  }

  /** How many commands have come, modulo 2^32. */
  int consumed() {
    return submissions.consumed();
  }

  /** Whether the connection has ended. */
  boolean isClosed() {
    return state == State.CLOSED;
  }

  FusedPairs fused() {
    return fused;
  }

  /** For transports: there is one more command slot, for good. */
  public void add(Command slot) {
    slots.add(slot);
  }

  /** Every command slot that there is. */
  List<Command> slots() {
    return slots.all();
  }

  LoopContext context() {
    return context;
  }

  Transport transport() {
    return transport;
  }

  int id() {
    return id;
  }

  /** Whether it is an admin queue; known from {@link Transport#connected} on. */
  public boolean admin() {
    return id == 0;
  }

  int maxTransferBytes() {
    return maxTransferBytes;
  }

  @Nullable
  Controller controller() {
    return controller;
  }

  boolean isNew() {
    return state == State.NEW;
  }

  /** Connect is being looked at. */
  void connecting() {
    state = State.CONNECTING;
  }

  /** Connect failed; another may be tried. */
  void connectFailed() {
    if (state == State.CONNECTING) {
      state = State.NEW;
    }
  }

  /** Connect succeeded; false when the connection has ended meanwhile. */
  boolean connect(Controller to, CommandSet set, int queueId, int queueEntries, boolean sqFlowControl) {
    if (state != State.CONNECTING) {
      return false;
    }
    state = State.LIVE;
    controller = to;
    id = queueId;
    decoder.connected(set, queueId == 0);
    submissions.connected(queueEntries, sqFlowControl);
    seenConsumed = submissions.consumed();
    transport.connected(queueEntries);
    return true;
  }

  /** Ends a command: it is answered, or forgotten when the connection has ended. */
  void finish(Command c, int status) {
    c.status = status;
    if (state == State.CLOSED) {
      release(c);
      tellQuiet();
      settle();
      return;
    }
    if (status != NvmeStatus.SUCCESS && state == State.LIVE) {
      recordError(c, status);
    }
    slots.move(c, Command.State.RESPONDING);
    transport.respond(c);
  }

  /** Keeps an executing command to be answered some time. */
  void hold(Command c) {
    assert c.state == Command.State.EXECUTING;
    slots.move(c, Command.State.HELD);
  }

  /** Goes on with a command that was held. */
  void unhold(Command c) {
    assert c.state == Command.State.HELD;
    slots.move(c, Command.State.EXECUTING);
  }

  /** Changes the memory of an executing command for {@code bytes} of it; then it is executed again. */
  void exchange(Command c, int bytes) {
    memory.takeBack(c);
    c.direction = Command.Direction.NONE;
    c.memoryBytes = bytes;
    memory.takeOrWait(c);
  }

  /** Ends a command that was held, without an answer. */
  void forget(Command c) {
    assert c.state == Command.State.HELD;
    release(c);
    if (state != State.CLOSED) {
      transport.forget(c);
    }
  }

  /** Ends the command {@code cid} if it only waits; false when it is not found or cannot be stopped. */
  boolean abort(int cid) {
    Command waiting = memory.withdraw(cid);
    if (waiting == null) {
      return false;
    }
    finish(waiting, NvmeStatus.ABORT_REQUESTED);
    memory.serveWaiting();
    return true;
  }

  /** An executing command waits for memory. */
  void waiting(Command c) {
    slots.move(c, Command.State.WAITING);
  }

  /** A command that executed or waited has its memory. */
  void proceed(Command c) {
    if (c.direction == Command.Direction.TO_CONTROLLER) {
      slots.move(c, Command.State.FETCHING);
      transport.fetch(c);
    } else {
      slots.move(c, Command.State.EXECUTING);
      c.set.execute(c);
    }
  }

  private void recordError(Command c, int status) {
    Controller of = controller;
    if (of != null) {
      of.recordError(this, c, status);
    }
  }
}
