package io.remora.bench;

import io.remora.base.sim.InputSocket;
import java.lang.foreign.MemorySegment;

/** A socket in which the same bytes come again and again. Nothing can be written to it. */
final class CannedSocket extends InputSocket {
  private final MemorySegment bytes;
  private long position;

  CannedSocket(MemorySegment bytes) {
    this.bytes = bytes;
  }

  /** From the beginning. */
  void rewind() {
    position = 0;
  }

  @Override
  public long read(MemorySegment target, long offset, long length) {
    long take = Math.min(length, bytes.byteSize() - position);
    MemorySegment.copy(bytes, position, target, offset, take);
    position += take;
    return take;
  }
}
