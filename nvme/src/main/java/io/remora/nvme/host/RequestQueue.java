package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one I/O queue that no commands were made of, or not all, in order; and the completion of requests. Belongs to the queue's loop; what it keeps of
 * requests it uses again.
 *
 * <p>Invariant: a request completes once, when all commands made of it have ended and none is to be made any more.
 */
final class RequestQueue {
  private final Loop loop;
  private final Runnable rejectTask = this::completeRejected;
  private @Nullable HostIo head;
  private @Nullable HostIo tail;
  private int size;
  private @Nullable HostIo free;
  /** Refused in this turn, the last one first. */
  private @Nullable HostIo rejected;
  private boolean rejectDeferred;

  RequestQueue(Loop loop) {
    this.loop = loop;
  }

  int size() {
    return size;
  }

  /** The one whose turn it is; null when none waits. */
  @Nullable
  HostIo first() {
    return head;
  }

  void add(IoRequest request, HostNamespace namespace) {
    HostIo io = take();
    io.begin(request, namespace);
    HostIo last = tail;
    if (last == null) {
      head = io;
    } else {
      last.next = io;
    }
    tail = io;
    size++;
  }

  /** One more command was made of the first one, for {@code bytes} of it. */
  void issuedFirst(long bytes) {
    HostIo io = head;
    assert io != null && io.request != null;
    io.issuedBytes += bytes;
    io.outstanding++;
    if (io.issuedBytes == io.request.length || io.request.op == IoRequest.Op.FLUSH) {
      removeFirst();
    }
  }

  /** No more commands are made of the first one: it ends with {@code status} when those that were made have ended, perhaps now. */
  void failFirst(Status status) {
    HostIo io = head;
    assert io != null;
    removeFirst();
    io.status = status;
    if (io.outstanding == 0) {
      complete(io);
    }
  }

  /** A command made of {@code io} has ended: so may have the request. After the first failure no more commands are made of it. */
  void ended(HostIo io, Status outcome) {
    io.outstanding--;
    if (!outcome.isOk() && io.status.isOk() && !(outcome == Status.UNSUPPORTED && isAdvice(io))) {
      io.status = outcome;
    }
    if (!io.status.isOk() && !io.issued) {
      Check.that(io == head, "only the first request may be half issued");
      removeFirst();
    }
    if (io.issued && io.outstanding == 0) {
      complete(io);
    }
  }

  /** Deallocate is advice: a controller has the command for all its namespaces, this one's device may know none of it. */
  private static boolean isAdvice(HostIo io) {
    IoRequest request = io.request;
    return request != null && request.op == IoRequest.Op.DEALLOCATE;
  }

  private void removeFirst() {
    HostIo io = head;
    assert io != null;
    io.issued = true;
    head = io.next;
    io.next = null;
    if (head == null) {
      tail = null;
    }
    size--;
  }

  /** Completes a request that did not wait at the end of this turn. */
  void reject(IoRequest request, Status status) {
    HostIo io = take();
    io.request = request;
    io.status = status;
    io.next = rejected;
    rejected = io;
    if (!rejectDeferred) {
      rejectDeferred = true;
      loop.defer(rejectTask);
    }
  }

  private void completeRejected() {
    rejectDeferred = false;
    HostIo reversed = null;
    for (HostIo io = rejected; io != null;) {
      HostIo next = io.next;
      io.next = reversed;
      reversed = io;
      io = next;
    }
    rejected = null;
    while (reversed != null) {
      HostIo io = reversed;
      reversed = io.next;
      complete(io);
    }
  }

  private void complete(HostIo io) {
    IoRequest request = io.request;
    Status status = io.status;
    assert request != null;
    io.request = null;
    io.namespace = null;
    io.status = Status.OK;
    io.next = free;
    free = io;
    request.complete(status);
  }

  private HostIo take() {
    HostIo io = free;
    if (io == null) {
      return new HostIo();
    }
    free = io.next;
    io.next = null;
    return io;
  }
}
