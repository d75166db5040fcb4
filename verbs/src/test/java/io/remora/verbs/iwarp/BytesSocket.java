package io.remora.verbs.iwarp;

import io.remora.base.sim.InputSocket;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;

/** The receiving half of a socket: hands out the bytes of an array in pieces of random length, then its end. */
final class BytesSocket extends InputSocket {
  private final byte[] bytes;
  private final RandomGenerator random;
  private final int maxPiece;
  private int at;

  BytesSocket(byte[] bytes, int from, int maxPiece, RandomGenerator random) {
    this.bytes = bytes;
    this.at = from;
    this.maxPiece = maxPiece;
    this.random = random;
  }

  @Override
  public long read(MemorySegment target, long offset, long length) {
    if (at == bytes.length) {
      return CLOSED;
    }
    if (random.nextInt(8) == 0) {
      return 0;
    }
    int count = Math.min((int) Math.min(length, bytes.length - at), 1 + random.nextInt(maxPiece));
    MemorySegment.copy(bytes, at, target, ValueLayout.JAVA_BYTE, offset, count);
    at += count;
    return count;
  }
}
