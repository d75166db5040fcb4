package io.remora.verbs.ibverbs;

import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import org.jspecify.annotations.Nullable;

/**
 * Puts the completions of one send queue in the order of its requests, for drivers that {@linkplain DriverQuirks#showsReadsLate show reads late}: what ends behind a read that is under way is held back.
 * The device knows requests by their places here, and tells the end of every read, signalled or not. Belongs to its queue pair; allocates nothing per request.
 */
final class SendOrder {
  /** Shows nothing: an unsignalled request, or an unsignalled read that has ended. */
  private static final byte SILENT = 0;
  /** The device has not told its end yet. */
  private static final byte AWAITED = 1;
  /** Has ended, and is to be shown. */
  private static final byte ENDED = 2;

  private final int max;
  private final int mask;
  private final int queuePair;
  private final byte[] states;
  private final boolean[] signalled;
  private final long[] ids;
  private final WorkStatus[] statuses;
  private final @Nullable CompletionOpcode[] opcodes;
  private final int[] lengths;
  private final int[] vendorErrors;
  private int head;
  private int tail;

  /** Of {@code queuePair}, with room for {@code max} requests. */
  SendOrder(int queuePair, int max) {
    int places = Integer.highestOneBit(Math.max(1, 2 * max - 1));
    this.max = max;
    this.mask = places - 1;
    this.queuePair = queuePair;
    this.states = new byte[places];
    this.signalled = new boolean[places];
    this.ids = new long[places];
    this.statuses = new WorkStatus[places];
    this.opcodes = new CompletionOpcode[places];
    this.lengths = new int[places];
    this.vendorErrors = new int[places];
  }

  /** Whether nothing more may be posted until something has been shown. */
  boolean isFull() {
    return tail - head == max;
  }

  /** Notes {@code request}, which is posted next; returns its place, at least 0. */
  int add(SendRequest request) {
    int place = tail & mask;
    ids[place] = request.id();
    signalled[place] = request.isSignalled();
    states[place] = request.isSignalled() || request.opcode() == SendOpcode.READ ? AWAITED : SILENT;
    tail++;
    return place;
  }

  /** Forgets the last {@code count} requests, which the device did not take. */
  void withdraw(int count) {
    tail -= count;
  }

  /** The request at {@code place} has ended. */
  void end(int place, WorkStatus status, @Nullable CompletionOpcode opcode, int length, int vendorError) {
    if (((place - head) & mask) >= tail - head) {
      // A post that the device refused, and yet carried out.
      return;
    }
    states[place] = status == WorkStatus.SUCCESS && !signalled[place] ? SILENT : ENDED;
    statuses[place] = status;
    opcodes[place] = opcode;
    lengths[place] = length;
    vendorErrors[place] = vendorError;
  }

  /** The device shows no more: all that is still awaited has been flushed. False when that was nothing. */
  boolean flush() {
    boolean some = false;
    for (int next = head; next != tail; next++) {
      if (states[next & mask] == AWAITED) {
        end(next & mask, WorkStatus.FLUSH_ERROR, null, 0, 0);
        some = true;
      }
    }
    return some;
  }

  /** Forgets everything. */
  void clear() {
    head = tail;
  }

  /** Shows the first request that shows at all, if it has ended; false when not. */
  boolean show(WorkCompletions into) {
    int next = first();
    if (next == tail || states[next & mask] != ENDED) {
      return false;
    }
    int place = next & mask;
    into.add(ids[place], statuses[place], opcodes[place], lengths[place], queuePair);
    if (statuses[place] != WorkStatus.SUCCESS) {
      into.vendorErrorOfLast(vendorErrors[place]);
    }
    head = next + 1;
    return true;
  }

  private int first() {
    int next = head;
    while (next != tail && states[next & mask] == SILENT) {
      next++;
    }
    return next;
  }
}
