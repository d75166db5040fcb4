package io.remora.verbs.ibverbs;

import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The {@link SendOrder}s of the queue pairs that show their sends at one completion queue. Belongs to that queue; allocates nothing per request. */
final class SendOrders {
  private static final int RECEIVES = CompletionOpcode.RECEIVE.code();

  private @Nullable SendOrder[] orders = new SendOrder[4];
  private boolean[] failed = new boolean[4];
  private boolean anyFailed;
  /** Which has ended something last, and so may have something to show. */
  private @Nullable SendOrder ready;

  /** Takes {@code order} in; returns its number, at least 0. */
  int add(SendOrder order) {
    int number = 0;
    while (number < orders.length && orders[number] != null) {
      number++;
    }
    if (number == orders.length) {
      orders = Arrays.copyOf(orders, 2 * number);
      failed = Arrays.copyOf(failed, 2 * number);
    }
    orders[number] = order;
    return number;
  }

  /** Drops what number {@code number} has not shown, and itself. */
  void remove(int number) {
    if (ready == orders[number]) {
      ready = null;
    }
    orders[number] = null;
    failed[number] = false;
  }

  /** The queue pair of {@code number} is in the error state: what the device has not shown when it has nothing more, it never will. */
  void fail(int number) {
    failed[number] = true;
    anyFailed = true;
  }

  /** Call when the device has nothing more: false when nothing is to be shown in its place. */
  boolean flush() {
    if (!anyFailed) {
      return false;
    }
    for (int i = 0; i < orders.length; i++) {
      SendOrder order = orders[i];
      if (order != null && failed[i] && order.flush()) {
        ready = order;
        return true;
      }
    }
    anyFailed = false;
    return false;
  }

  /** What the device is to call the request at {@code place} of {@code number}. */
  static long name(int number, int place) {
    return (long) number << 32 | place;
  }

  /** Takes the completion at {@code completion}, when it is of a send; whatever was ready has been shown before. */
  boolean take(long completion) {
    // siw says what it was of failures too.
    int code = Memory.getInt(completion + CompletionLayout.OPCODE);
    if (code >= RECEIVES) {
      return false;
    }
    long name = Memory.getLong(completion + CompletionLayout.ID);
    SendOrder order = orders[(int) (name >>> 32)];
    if (order != null) {
      WorkStatus status = WorkStatus.of(Memory.getInt(completion + CompletionLayout.STATUS));
      CompletionOpcode opcode = CompletionCodes.opcode(code);
      order.end((int) name, status, status == WorkStatus.SUCCESS ? opcode : null,
          CompletionCodes.hasLength(opcode) ? Memory.getInt(completion + CompletionLayout.LENGTH) : 0,
          Memory.getInt(completion + CompletionLayout.VENDOR_ERROR));
      ready = order;
    }
    return true;
  }

  /** Whether {@link #show} may show something. */
  boolean isReady() {
    return ready != null;
  }

  /** Shows a completion; false when there is none. */
  boolean show(WorkCompletions into) {
    SendOrder order = ready;
    if (order == null) {
      return false;
    }
    if (!order.show(into)) {
      ready = null;
      return false;
    }
    return true;
  }
}
