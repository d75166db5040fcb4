package io.remora.verbs.soft;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A completion queue in software: a ring of columns. Belongs to its context's loop; allocates nothing after construction. */
public final class SoftCompletionQueue implements CompletionQueue {
  private static final byte IMMEDIATE = 1;
  private static final byte INVALIDATED = 2;

  private enum Armed {
    NO, SOLICITED, ANY
  }

  private final SoftContext context;
  private final @Nullable Runnable onEvent;
  private final int entries;
  private final long[] ids;
  private final WorkStatus[] statuses;
  private final @Nullable CompletionOpcode[] opcodes;
  private final int[] lengths;
  private final int[] queuePairs;
  private final int[] sources;
  private final int[] values;
  private final byte[] flags;
  private final int[] vendorErrors;
  private final List<SoftQueuePair> users = new ArrayList<>();
  private int head;
  private int count;
  private Armed armed = Armed.NO;
  private boolean overrun;
  private boolean closed;

  SoftCompletionQueue(SoftContext context, int entries, @Nullable Runnable onEvent) {
    this.context = context;
    this.onEvent = onEvent;
    this.entries = entries;
    this.ids = new long[entries];
    this.statuses = new WorkStatus[entries];
    Arrays.fill(statuses, WorkStatus.SUCCESS);
    this.opcodes = new CompletionOpcode[entries];
    this.lengths = new int[entries];
    this.queuePairs = new int[entries];
    this.sources = new int[entries];
    this.values = new int[entries];
    this.flags = new byte[entries];
    this.vendorErrors = new int[entries];
    context.opened("completion queue");
  }

  SoftContext context() {
    return context;
  }

  @Override
  public int entries() {
    return entries;
  }

  @Override
  public int poll(WorkCompletions into) {
    into.clear();
    while (count > 0 && !into.full()) {
      int at = head;
      into.add(ids[at], statuses[at], opcodes[at], lengths[at], queuePairs[at]);
      if (flags[at] == IMMEDIATE) {
        into.immediateOfLast(values[at]);
      } else if (flags[at] == INVALIDATED) {
        into.invalidatedKeyOfLast(values[at]);
      }
      if (sources[at] != 0) {
        into.sourceOfLast(sources[at]);
      }
      if (vendorErrors[at] != 0) {
        into.vendorErrorOfLast(vendorErrors[at]);
      }
      head = at + 1 == entries ? 0 : at + 1;
      count--;
    }
    return into.count();
  }

  @Override
  public void requestNotify(boolean solicitedOnly) {
    if (!solicitedOnly || armed == Armed.NO) {
      armed = solicitedOnly ? Armed.SOLICITED : Armed.ANY;
    }
  }

  /** Adds a completion; what it brought is said by the calls that follow. False when there was no room: the queue is lost. */
  boolean push(long id, WorkStatus status, CompletionOpcode opcode, int length, int queuePair, boolean solicited) {
    if (overrun || count == entries) {
      overrun();
      return false;
    }
    int at = at(count);
    ids[at] = id;
    statuses[at] = status;
    opcodes[at] = opcode;
    lengths[at] = length;
    queuePairs[at] = queuePair;
    sources[at] = 0;
    values[at] = 0;
    flags[at] = 0;
    vendorErrors[at] = 0;
    count++;
    if (armed != Armed.NO && (armed == Armed.ANY || solicited || status != WorkStatus.SUCCESS)) {
      armed = Armed.NO;
      if (onEvent != null) {
        context.loop().defer(onEvent);
      }
    }
    return true;
  }

  /** Drops what a queue pair that closes has here. */
  void forget(int queuePair) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int from = at(i);
      if (queuePairs[from] != queuePair) {
        int to = at(kept++);
        ids[to] = ids[from];
        statuses[to] = statuses[from];
        opcodes[to] = opcodes[from];
        lengths[to] = lengths[from];
        queuePairs[to] = queuePairs[from];
        sources[to] = sources[from];
        values[to] = values[from];
        flags[to] = flags[from];
        vendorErrors[to] = vendorErrors[from];
      }
    }
    count = kept;
  }

  private int at(int index) {
    int at = head + index;
    return at < entries ? at : at - entries;
  }

  private int last() {
    return at(count - 1);
  }

  void immediateOfLast(int value) {
    values[last()] = value;
    flags[last()] = IMMEDIATE;
  }

  void invalidatedKeyOfLast(int key) {
    values[last()] = key;
    flags[last()] = INVALIDATED;
  }

  void sourceOfLast(int queuePair) {
    sources[last()] = queuePair;
  }

  void vendorErrorOfLast(int error) {
    vendorErrors[last()] = error;
  }

  private void overrun() {
    if (!overrun) {
      overrun = true;
      context.raise(new AsyncEvent(AsyncEvent.Kind.COMPLETION_QUEUE_ERROR, null,
          "a completion queue of " + entries + " entries overflowed: make it as large as all queues that use it"));
      for (SoftQueuePair user : List.copyOf(users)) {
        user.fail(AsyncEvent.Kind.QUEUE_PAIR_FATAL, "its completion queue overflowed");
      }
    }
  }

  void addUser(SoftQueuePair user) {
    if (closed) {
      throw new RemoraException(Status.INVALID, "the completion queue is closed");
    }
    users.add(user);
  }

  void removeUser(SoftQueuePair user) {
    users.remove(user);
  }

  @Override
  public void close() {
    if (!closed) {
      if (!users.isEmpty()) {
        throw new RemoraException(Status.BUSY,
            "completion queue: " + users.size() + " queues of queue pairs use it; close them first");
      }
      closed = true;
      armed = Armed.NO;
      context.closed("completion queue");
    }
  }
}
