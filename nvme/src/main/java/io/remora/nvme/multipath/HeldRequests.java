package io.remora.nvme.multipath;

import org.jspecify.annotations.Nullable;

/** Requests that wait for a path, in order. Belongs to one channel. */
final class HeldRequests {
  private @Nullable PathRequest head;
  private @Nullable PathRequest tail;
  private int size;

  int size() {
    return size;
  }

  void add(PathRequest request) {
    PathRequest last = tail;
    request.next = null;
    if (last == null) {
      head = request;
    } else {
      last.next = request;
    }
    tail = request;
    size++;
  }

  @Nullable
  PathRequest poll() {
    PathRequest first = head;
    if (first != null) {
      head = first.next;
      first.next = null;
      tail = head == null ? null : tail;
      size--;
    }
    return first;
  }
}
