package io.remora.nvme.tcp;

import io.remora.nvme.target.QueuePair;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The command slots of a connection: which are free, and which are free once their answers are sent, in that order. Belongs to the connection's loop. */
final class TargetSlots {
  private final QueuePair queue;
  private TargetCommand[] slots = new TargetCommand[0];
  private int[] free = new int[0];
  private int freeCount;
  /** Slots whose answers are queued: a ring. */
  private TargetCommand[] sending = new TargetCommand[0];
  private int sendingHead;
  private int sendingCount;

  TargetSlots(QueuePair queue, int count) {
    this.queue = queue;
    grow(count);
  }

  /** Has at least {@code count} slots from now on. */
  void grow(int count) {
    int from = slots.length;
    if (count <= from) {
      return;
    }
    slots = Arrays.copyOf(slots, count);
    free = Arrays.copyOf(free, count);
    TargetCommand[] order = new TargetCommand[count];
    for (int i = 0; i < sendingCount; i++) {
      order[i] = sending[(sendingHead + i) % sending.length];
    }
    sending = order;
    sendingHead = 0;
    for (int i = count - 1; i >= from; i--) {
      slots[i] = new TargetCommand(queue, i);
      queue.add(slots[i]);
      free[freeCount++] = i;
    }
  }

  /** A free slot, which is not free any more; null when there is none. */
  @Nullable
  TargetCommand take() {
    return freeCount == 0 ? null : slots[free[--freeCount]];
  }

  /** The slot is free again. */
  void free(TargetCommand command) {
    free[freeCount++] = command.index;
  }

  /** The slot whose transfer has {@code tag}; null when there is none. */
  @Nullable
  TargetCommand byTag(int tag) {
    int index = tag & TargetCommand.MAX_SLOTS - 1;
    TargetCommand command = index < slots.length ? slots[index] : null;
    return command != null && command.tag() == tag ? command : null;
  }

  /** The answer of {@code command} is sent when the output is, up to {@code position}. */
  void awaitSent(TargetCommand command, long position) {
    command.sentAt = position;
    int tail = sendingHead + sendingCount;
    sending[tail < sending.length ? tail : tail - sending.length] = command;
    sendingCount++;
  }

  /** The output is sent up to {@code position}. */
  void releaseSent(long position) {
    while (sendingCount > 0 && sending[sendingHead].sentAt <= position) {
      TargetCommand command = sending[sendingHead];
      sendingHead = sendingHead + 1 == sending.length ? 0 : sendingHead + 1;
      sendingCount--;
      free[freeCount++] = command.index;
      queue.release(command);
    }
  }

  /** The connection is gone: see {@link QueuePair#abandon}. */
  void abandon() {
    for (TargetCommand command : slots) {
      queue.abandon(command);
    }
  }
}
