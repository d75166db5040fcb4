package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions that the data path calls, under their names: those of a context's table, and those of completion events. A call allocates nothing. What they give is the function's own: a number of
 * completions, or 0 or an error number, negated or not.
 *
 * <p>A {@code critical} call does without the change of the thread's state, and holds garbage collection up for as long as it lasts: right
 * where the driver writes to the adapter's registers, wrong where it makes a system call.
 */
final class DataPath {
  private static final MemoryLayout I = JAVA_INT;
  private static final MemoryLayout L = JAVA_LONG;
  private static final Linker.Option CRITICAL = Linker.Option.critical(false);

  private static final MethodHandle POLL = link(FunctionDescriptor.of(I, L, I, L));
  private static final MethodHandle NOTIFY = link(FunctionDescriptor.of(I, L, I));
  private static final MethodHandle POST = link(FunctionDescriptor.of(I, L, L, L));
  private static final MethodHandle CRITICAL_POLL = link(FunctionDescriptor.of(I, L, I, L), CRITICAL);
  private static final MethodHandle CRITICAL_NOTIFY = link(FunctionDescriptor.of(I, L, I), CRITICAL);
  private static final MethodHandle CRITICAL_POST = link(FunctionDescriptor.of(I, L, L, L), CRITICAL);

  private static final MethodHandle GET_EVENT = link(FunctionDescriptor.of(I, L, L, L));
  private static final MethodHandle ACK_EVENTS = link(FunctionDescriptor.ofVoid(L, I));

  private final boolean critical;
  private final MemorySegment getCqEvent;
  private final MemorySegment ackCqEvents;
  private final MemorySegment pollCq;
  private final MemorySegment reqNotifyCq;
  private final MemorySegment postSend;
  private final MemorySegment postRecv;
  private final MemorySegment postSrqRecv;

  /** Reads the table of the context at {@code context}. */
  DataPath(VerbsLibrary library, long context, boolean critical) {
    this.critical = critical;
    this.getCqEvent = library.getCqEvent;
    this.ackCqEvents = library.ackCqEvents;
    this.pollCq = function(context, ContextLayout.POLL_CQ);
    this.reqNotifyCq = function(context, ContextLayout.REQ_NOTIFY_CQ);
    this.postSend = function(context, ContextLayout.POST_SEND);
    this.postRecv = function(context, ContextLayout.POST_RECV);
    this.postSrqRecv = function(context, ContextLayout.POST_SRQ_RECV);
  }

  int pollCq(long queue, int count, long completions) {
    try {
      return critical
          ? (int) CRITICAL_POLL.invokeExact(pollCq, queue, count, completions)
          : (int) POLL.invokeExact(pollCq, queue, count, completions);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int reqNotifyCq(long queue, int solicitedOnly) {
    try {
      return critical
          ? (int) CRITICAL_NOTIFY.invokeExact(reqNotifyCq, queue, solicitedOnly)
          : (int) NOTIFY.invokeExact(reqNotifyCq, queue, solicitedOnly);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int postSend(long queuePair, long requests, long refused) {
    return post(postSend, queuePair, requests, refused);
  }

  int postRecv(long queuePair, long requests, long refused) {
    return post(postRecv, queuePair, requests, refused);
  }

  int postSrqRecv(long queue, long requests, long refused) {
    return post(postSrqRecv, queue, requests, refused);
  }

  /** -1 when there is none. */
  int getCqEvent(long channel, long queue, long userContext) {
    try {
      return (int) GET_EVENT.invokeExact(getCqEvent, channel, queue, userContext);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  void ackCqEvents(long queue, int events) {
    try {
      ACK_EVENTS.invokeExact(ackCqEvents, queue, events);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  private int post(MemorySegment function, long queue, long requests, long refused) {
    try {
      return critical
          ? (int) CRITICAL_POST.invokeExact(function, queue, requests, refused)
          : (int) POST.invokeExact(function, queue, requests, refused);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  private static MemorySegment function(long context, int offset) {
    return MemorySegment.ofAddress(Memory.getLong(context + offset));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(FunctionDescriptor type, Linker.Option... options) {
    return Linker.nativeLinker().downcallHandle(type, options);
  }

  private static AssertionError unreachable(Throwable e) {
    return new AssertionError("a C function cannot throw", e);
  }
}
