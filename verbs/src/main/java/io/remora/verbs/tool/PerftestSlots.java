package io.remora.verbs.tool;

/**
 * How perftest goes through a buffer: short operations by turns to as many places of it as there are, long ones always to its beginning.
 *
 * @param bytes of an operation
 * @param cycle what short operations go round in, in bytes: the longer page of both ends
 * @param line what the places are aligned to, in bytes: the longer cache line of both ends, at most half of {@code cycle}
 */
record PerftestSlots(int bytes, int cycle, int line) {
  /** The length of the buffer. */
  int lengthBytes() {
    return Math.max(bytes, cycle);
  }

  /** From one place to the next, in bytes. */
  int stride() {
    return Math.ceilDiv(bytes, line) * line;
  }

  /** How many places there are. */
  int count() {
    return bytes <= cycle / 2 ? cycle / stride() : 1;
  }

  /** Whose turn it is, from 0. */
  int slot(long iteration) {
    return (int) (iteration % count());
  }

  /** Where that place begins. */
  long offset(int slot) {
    return (long) slot * stride();
  }

  /** How many of {@code iterations} go to {@code slot}. */
  long turns(int slot, long iterations) {
    return iterations / count() + (slot < iterations % count() ? 1 : 0);
  }
}
