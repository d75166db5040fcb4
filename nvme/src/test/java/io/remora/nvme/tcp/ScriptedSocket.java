package io.remora.nvme.tcp;

import io.remora.base.sim.InputSocket;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/** A stream that holds what a test wrote, and gives it away in pieces of random length. One thread. */
final class ScriptedSocket extends InputSocket {
  private byte[] input = {};
  private final Random random;
  private final int maxPiece;
  private int position;
  int reads;

  ScriptedSocket(Random random, int maxPiece) {
    this.random = random;
    this.maxPiece = maxPiece;
  }

  void put(byte[] bytes) {
    int length = input.length;
    input = Arrays.copyOf(input, length + bytes.length);
    System.arraycopy(bytes, 0, input, length, bytes.length);
  }

  @Override
  public long read(MemorySegment target, long offset, long length) {
    int count = (int) Math.min(Math.min(length, 1 + random.nextInt(maxPiece)), input.length - position);
    MemorySegment.copy(input, position, target, ValueLayout.JAVA_BYTE, offset, count);
    position += count;
    reads++;
    return count;
  }
}
