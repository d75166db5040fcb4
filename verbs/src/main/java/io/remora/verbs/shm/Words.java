package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/** 8-byte words of memory that two processes share. */
final class Words {
  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private Words() {}

  /** What was written before the word by whoever wrote it is seen after this. */
  static long getAcquire(MemorySegment memory, long at) {
    return (long) LONG.getAcquire(memory, at);
  }

  /** What was written before this is seen by whoever sees the word. */
  static void setRelease(MemorySegment memory, long at, long value) {
    LONG.setRelease(memory, at, value);
  }

  /** In one order with all other volatile reads and writes of all processes. */
  static long getVolatile(MemorySegment memory, long at) {
    return (long) LONG.getVolatile(memory, at);
  }

  /** In one order with all other volatile reads and writes of all processes. */
  static void setVolatile(MemorySegment memory, long at, long value) {
    LONG.setVolatile(memory, at, value);
  }

  static long compareAndExchange(MemorySegment memory, long at, long expected, long value) {
    return (long) LONG.compareAndExchange(memory, at, expected, value);
  }

  static long getAndAdd(MemorySegment memory, long at, long value) {
    return (long) LONG.getAndAdd(memory, at, value);
  }
}
