package io.remora.nvme.host;

import org.jspecify.annotations.Nullable;

/** Commands in order, linked through themselves; a command is in at most one list. One loop's. */
final class CommandList {
  private @Nullable HostCommand head;
  private @Nullable HostCommand tail;
  private int size;

  int size() {
    return size;
  }

  @Nullable
  HostCommand first() {
    return head;
  }

  void add(HostCommand command) {
    HostCommand last = tail;
    command.previous = last;
    command.next = null;
    if (last == null) {
      head = command;
    } else {
      last.next = command;
    }
    tail = command;
    size++;
  }

  void remove(HostCommand command) {
    HostCommand before = command.previous;
    HostCommand after = command.next;
    if (before == null) {
      head = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      tail = before;
    } else {
      after.previous = before;
    }
    command.previous = null;
    command.next = null;
    size--;
  }

  @Nullable
  HostCommand poll() {
    HostCommand first = head;
    if (first != null) {
      remove(first);
    }
    return first;
  }

  /** The most data that one of them has, in bytes. */
  long mostBytes() {
    long most = 0;
    for (HostCommand c = head; c != null; c = c.next) {
      most = Math.max(most, c.dataBytes());
    }
    return most;
  }

  /** Takes over all of {@code other}, in order. */
  void addAll(CommandList other) {
    for (HostCommand c = other.poll(); c != null; c = other.poll()) {
      add(c);
    }
  }
}
