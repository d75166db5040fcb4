package io.remora.nvme.target;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import org.jspecify.annotations.Nullable;

/**
 * I/O memory for the commands of one queue pair: who has some, and who waits for it, in order. Belongs to the queue's loop.
 *
 * <p>Invariants: a queue holds no more than its connection's limit, and takes no more than leaves something to others, but always what one command needs; what it takes in one turn of
 * the loop is bounded; once closed it gives nothing any more.
 */
final class QueueMemory {
  /** What one queue begins in one turn of the loop, in bytes of data, before others have theirs. */
  private static final int TURN_BYTES = 1 << 20;

  /** Waits for memory for the first of the waiting commands. */
  private final class TransferWaiter extends BufferPool.Waiter {
    @Override
    protected void onBuffer(Buffer buffer) {
      Command command = waitingHead;
      if (command == null) {
        buffer.release();
        return;
      }
      popWaiting();
      give(command, buffer);
      queue.proceed(command);
      serveWaiting();
    }
  }

  /** Waits for memory for a command that the transport still holds. */
  private final class CapsuleWaiter extends BufferPool.Waiter {
    @Override
    protected void onBuffer(Buffer buffer) {
      capsuleBuffer = buffer;
      usedBytes += buffer.sizeBytes();
      queue.transport().resume();
    }
  }

  private final LoopContext context;
  private final QueuePair queue;
  private final TransferWaiter transferWaiter = new TransferWaiter();
  private final CapsuleWaiter capsuleWaiter = new CapsuleWaiter();
  private final long limitBytes;
  private final int capsuleBytes;
  private final Timer nextTurn;
  private @Nullable Command waitingHead;
  private @Nullable Command waitingTail;
  private @Nullable Buffer capsuleBuffer;
  private long usedBytes;
  /** What commands were given since {@link #nextTurn} fired last, in bytes. */
  private long turnBytes;
  private boolean closed;

  QueueMemory(LoopContext context, QueuePair queue) {
    this.context = context;
    this.queue = queue;
    this.limitBytes = context.target().config().memoryPerConnectionBytes();
    this.capsuleBytes = context.target().config().inCapsuleBytes();
    this.nextTurn = context.loop().timer(() -> {
      turnBytes = 0;
      serveWaiting();
    });
  }

  /** What commands hold, in bytes. */
  long usedBytes() {
    return usedBytes;
  }

  /** Whether it waits for memory that others have. */
  boolean waits() {
    return transferWaiter.waiting() || capsuleWaiter.waiting();
  }

  /** Gives {@code c} memory for the data in its capsule; false when there is none now: {@link Transport#resume} will be called. */
  boolean takeForCapsule(Command c) {
    Buffer buffer = capsuleBuffer;
    if (buffer != null) {
      capsuleBuffer = null;
      usedBytes -= buffer.sizeBytes();
    } else {
      buffer = context.pool().take(context.capsules(), c.memoryBytes);
    }
    if (buffer == null) {
      if (!capsuleWaiter.waiting()) {
        context.pool().await(capsuleWaiter, context.capsules(), c.memoryBytes);
      }
      return false;
    }
    give(c, buffer);
    return true;
  }

  /** Gives {@code c}, which is executing, memory and has it {@linkplain QueuePair#proceed proceed}, now or when it is its turn. */
  void takeOrWait(Command c) {
    if (waitingHead == null && mayTake(c)) {
      Buffer buffer = context.pool().take(context.transfers(), memoryFor(c));
      if (buffer != null) {
        give(c, buffer);
        queue.proceed(c);
        return;
      }
    }
    if (closed) {
      queue.finish(c, NvmeStatus.ABORT_REQUESTED);
      return;
    }
    queue.waiting(c);
    c.nextWaiting = null;
    Command last = waitingTail;
    if (last == null) {
      waitingHead = c;
    } else {
      last.nextWaiting = c;
    }
    waitingTail = c;
    if (waitingHead == c) {
      serveWaiting();
    }
  }

  /** Takes back what {@code c} has; false when that is nothing. */
  boolean takeBack(Command c) {
    c.takeBack();
    Buffer buffer = c.buffer;
    if (buffer == null) {
      return false;
    }
    c.buffer = null;
    c.request.sgl.clear();
    usedBytes -= buffer.sizeBytes();
    buffer.release();
    return true;
  }

  /** Gives memory to the first waiting command, or has it wait in the pool's queue. */
  void serveWaiting() {
    while (waitingHead != null && !transferWaiter.waiting() && !closed) {
      Command c = waitingHead;
      if (!mayTake(c)) {
        return;
      }
      Buffer buffer = context.pool().take(context.transfers(), memoryFor(c));
      if (buffer == null) {
        context.pool().await(transferWaiter, context.transfers(), memoryFor(c));
        return;
      }
      popWaiting();
      give(c, buffer);
      queue.proceed(c);
    }
  }

  /** Takes the command {@code cid} out of those that wait; null when it is not among them, or one of two that are one. Then {@link #serveWaiting}. */
  @Nullable
  Command withdraw(int cid) {
    Command before = null;
    for (Command c = waitingHead; c != null; before = c, c = c.nextWaiting) {
      if (c.cid == cid && (c.flags & FusedPairs.MASK) == 0) {
        if (before == null) {
          context.pool().cancel(transferWaiter);
          popWaiting();
        } else {
          before.nextWaiting = c.nextWaiting;
          waitingTail = c == waitingTail ? before : waitingTail;
        }
        return c;
      }
    }
    return null;
  }

  /** Nobody waits any more; what commands have they keep. */
  void close() {
    closed = true;
    waitingHead = null;
    waitingTail = null;
    context.pool().cancel(transferWaiter);
    context.pool().cancel(capsuleWaiter);
    nextTurn.cancel();
    Buffer spare = capsuleBuffer;
    if (spare != null) {
      capsuleBuffer = null;
      usedBytes -= spare.sizeBytes();
      spare.release();
    }
  }

  /** Whether the command keeps within the limits of its queue: for a turn, for memory at all, for its share. */
  private boolean mayTake(Command c) {
    long used = usedBytes + c.memoryBytes;
    return turnBytes < TURN_BYTES
        && (usedBytes == 0 || (used <= limitBytes && used <= context.freeTransferBytes()));
  }

  private void popWaiting() {
    Command first = waitingHead;
    if (first != null) {
      waitingHead = first.nextWaiting;
      first.nextWaiting = null;
      if (waitingHead == null) {
        waitingTail = null;
      }
    }
  }

  /**
   * Memory that a peer may hold comes in pieces no smaller than a capsule's, so that it cannot leave holes into which no capsule's
   * data fits.
   */
  private long memoryFor(Command c) {
    return c.direction == Command.Direction.TO_CONTROLLER ? Math.max(c.memoryBytes, capsuleBytes) : c.memoryBytes;
  }

  private void give(Command c, Buffer buffer) {
    c.buffer = buffer;
    usedBytes += buffer.sizeBytes();
    turnBytes += c.memoryBytes;
    if (turnBytes >= TURN_BYTES && !nextTurn.armed()) {
      nextTurn.arm(0);
    }
    c.request.sgl.clear();
    c.request.sgl.add(buffer.segment(), 0, c.memoryBytes);
  }
}
