package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.verbs.Capability;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.Children;
import java.lang.foreign.Arena;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A completion queue of the device. Belongs to its context's loop; polling allocates nothing.
 *
 * <p>Looking whether something has completed means taking it from the device: what was taken so waits in {@code completions} for the next {@link #poll}.
 */
final class IbvCompletionQueue implements CompletionQueue {
  private static final String KIND = "completion queue";
  private static final int BATCH = 32;
  private static final int NOT_ARMED = 0;
  private static final int ARMED_SOLICITED = 1;
  private static final int ARMED = 2;

  private final IbvContext context;
  private final DataPath path;
  private final @Nullable Runnable onEvent;
  private final Children users = new Children();
  private Arena arena;
  private long completions;
  private int capacity = BATCH;
  private final long queue;
  private final int entries;
  private final int slot;
  private final @Nullable SendOrders orders;
  private @Nullable LateFlushes late;
  private int taken;
  private int shown;
  private boolean wanted;
  private boolean solicitedOnly;
  private int armed = NOT_ARMED;
  private int unacknowledged;
  private boolean closed;

  IbvCompletionQueue(IbvContext context, int entries, @Nullable Runnable onEvent) {
    this.context = context;
    this.path = context.device().path;
    this.onEvent = onEvent;
    this.entries = entries;
    this.orders = context.device().quirks.showsReadsLate() ? new SendOrders() : null;
    this.slot = onEvent == null ? -1 : context.channel().add(this);
    long made = context.device().libraries.verbs().createCq.call(context.device().context, entries, Math.max(slot, 0),
        onEvent == null ? 0 : context.channel().address(), 0);
    if (made < 0) {
      if (slot >= 0) {
        context.channel().remove(slot);
      }
      throw NativeErrors.of((int) -made, context.device().what("a completion queue of " + entries + " entries"));
    }
    this.queue = made;
    this.arena = context.loop().newArena();
    this.completions = arena.allocate((long) capacity * CompletionLayout.BYTES, 64).address();
    context.device().events.add(queue, context, null);
    context.children().opened(KIND);
  }

  IbvContext context() {
    return context;
  }

  /** The native queue. */
  long address() {
    return queue;
  }

  /** The queues of queue pairs that show their ends here. */
  Children users() {
    return users;
  }

  boolean isOpen() {
    return !closed;
  }

  @Override
  public int entries() {
    return entries;
  }

  @Override
  public int poll(WorkCompletions into) {
    assert context.loop().inLoop();
    into.clear();
    while (!into.full() && !closed) {
      if (orders != null && orders.show(into)) {
        continue;
      }
      if (shown == taken) {
        int room = Math.min(BATCH, into.capacity() - into.count());
        if (take(room) == 0) {
          if (orders != null && orders.flush()) {
            continue;
          }
          if (late == null || !late.show(into)) {
            break;
          }
          continue;
        }
      }
      show(into, at(shown));
      shown++;
    }
    return into.count();
  }

  /** Takes up to {@code max} completions from the device, when none wait; returns how many. */
  private int take(int max) {
    int count = path.pollCq(queue, max, completions);
    shown = 0;
    taken = Math.max(0, count);
    return taken;
  }

  private void show(WorkCompletions into, long completion) {
    int queuePair = Memory.getInt(completion + CompletionLayout.QUEUE_PAIR);
    long id = Memory.getLong(completion + CompletionLayout.ID);
    int status = Memory.getInt(completion + CompletionLayout.STATUS);
    if (status != 0) {
      context.failed(queuePair);
    }
    if (orders != null && orders.take(completion)) {
      return;
    }
    if (status != 0) {
      into.add(id, WorkStatus.of(status), null, 0, queuePair);
      into.vendorErrorOfLast(Memory.getInt(completion + CompletionLayout.VENDOR_ERROR));
      return;
    }
    CompletionOpcode opcode = CompletionCodes.opcode(Memory.getInt(completion + CompletionLayout.OPCODE));
    int length = CompletionCodes.hasLength(opcode) ? Memory.getInt(completion + CompletionLayout.LENGTH) : 0;
    into.add(id, WorkStatus.SUCCESS, opcode, length, queuePair);
    if (opcode == CompletionOpcode.RECEIVE || opcode == CompletionOpcode.RECEIVE_WRITE_WITH_IMMEDIATE) {
      int flags = Memory.getInt(completion + CompletionLayout.FLAGS);
      int value = Memory.getInt(completion + CompletionLayout.VALUE);
      if ((flags & CompletionLayout.FLAG_IMMEDIATE) != 0) {
        into.immediateOfLast(Integer.reverseBytes(value));
      } else if ((flags & context.device().invalidatedFlags) != 0) {
        into.invalidatedKeyOfLast(value);
      }
      into.sourceOfLast(Memory.getInt(completion + CompletionLayout.SOURCE_QUEUE_PAIR));
    }
  }

  /** Sends that {@code order} puts in order show here; returns its number. Only for devices that need it. */
  int order(SendOrder order) {
    return Objects.requireNonNull(orders).add(order);
  }

  /** The queue pair of order {@code number} is in the error state. */
  void failOrder(int number) {
    Objects.requireNonNull(orders).fail(number);
  }

  /** The queue pair of order {@code number} has been destroyed. */
  void removeOrder(int number) {
    Objects.requireNonNull(orders).remove(number);
  }

  /** Shows a request of queue pair {@code number} as flushed, for drivers that do not; false when there is no room. */
  boolean flush(long id, int number) {
    LateFlushes flushes = late;
    if (flushes == null) {
      flushes = new LateFlushes(entries);
      late = flushes;
    }
    return flushes.add(id, number);
  }

  private boolean nothing() {
    return shown == taken && take(BATCH) == 0 && (late == null || late.isEmpty())
        && (orders == null || (!orders.isReady() && !orders.flush()));
  }

  /** Drops what queue pair {@code number}, which has been destroyed, has here: its number may be another one's soon. */
  void forget(int number) {
    int count = taken - shown;
    Memory.copy(at(shown), completions, (long) count * CompletionLayout.BYTES);
    shown = 0;
    taken = without(number, 0, count);
    do {
      if (taken + BATCH > capacity) {
        grow();
      }
      count = Math.max(0, path.pollCq(queue, BATCH, at(taken)));
      taken = without(number, taken, count);
    } while (count > 0);
    if (late != null) {
      late.forget(number);
    }
  }

  /** Closes the gaps that the completions of {@code number} leave among {@code count} from {@code from} on; returns where they end then. */
  private int without(int number, int from, int count) {
    int to = from;
    for (int i = from; i < from + count; i++) {
      if (Memory.getInt(at(i) + CompletionLayout.QUEUE_PAIR) != number) {
        Memory.copy(at(i), at(to), CompletionLayout.BYTES);
        to++;
      }
    }
    return to;
  }

  private void grow() {
    Arena larger = context.loop().newArena();
    long copy = larger.allocate(2L * capacity * CompletionLayout.BYTES, 64).address();
    Memory.copy(completions, copy, (long) taken * CompletionLayout.BYTES);
    arena.close();
    arena = larger;
    completions = copy;
    capacity *= 2;
  }

  private long at(int index) {
    return completions + (long) index * CompletionLayout.BYTES;
  }

  @Override
  public void requestNotify(boolean solicited) {
    Check.argument(onEvent != null, "a completion queue that was made without an event handler is only polled");
    if (solicited) {
      context.device().require(Capability.SOLICITED_EVENTS, "an event for solicited messages only");
    }
    wanted = true;
    solicitedOnly = solicited;
    if (solicited && armed == NOT_ARMED) {
      // Which messages are solicited only the device knows.
      armed = ARMED_SOLICITED;
      path.reqNotifyCq(queue, 1);
    }
  }

  /** In a turn of the loop: runs the handler when it is wanted and something has completed. Returns 1 when it did. */
  int look() {
    if (!wanted || solicitedOnly || nothing()) {
      return 0;
    }
    tell();
    return 1;
  }

  /** Has the device wake the loop; false when something has completed already. */
  boolean arm() {
    if (!wanted || solicitedOnly) {
      return true;
    }
    if (armed != ARMED) {
      armed = ARMED;
      path.reqNotifyCq(queue, 0);
    }
    return nothing();
  }

  /** The device has something. */
  void onEvent() {
    boolean forAny = armed == ARMED;
    armed = NOT_ARMED;
    if (++unacknowledged == CompletionChannel.EVENTS_PER_ACKNOWLEDGEMENT) {
      acknowledge();
    }
    if (!wanted) {
      return;
    }
    if (!solicitedOnly) {
      // It may be about what the loop has seen by itself.
      look();
    } else if (!forAny) {
      tell();
    } else {
      // The wish is younger than the event, which may be about anything.
      requestNotify(true);
      if (!nothing()) {
        tell();
      }
    }
  }

  private void tell() {
    wanted = false;
    Runnable handler = onEvent;
    if (handler != null) {
      handler.run();
    }
  }

  private void acknowledge() {
    path.ackCqEvents(queue, unacknowledged);
    unacknowledged = 0;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    users.none(context.device().what(KIND));
    acknowledge();
    NativeErrors.check(context.device().libraries.verbs().destroyCq.call(queue),
        context.device().what("close a " + KIND));
    closed = true;
    wanted = false;
    context.device().events.remove(queue);
    if (slot >= 0) {
      context.channel().remove(slot);
    }
    context.children().closed(KIND);
    arena.close();
  }
}
