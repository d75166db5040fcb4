package io.remora.bench;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** A socket in which the same bytes come again and again. Nothing can be written to it. */
final class CannedSocket implements StreamSocket {
  private static final InetSocketAddress NOWHERE = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

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

  @Override
  public long write(Sgl source) {
    throw new UnsupportedOperationException("nothing is written here");
  }

  @Override
  public Loop loop() {
    throw new UnsupportedOperationException("belongs to no loop");
  }

  @Override
  public InetSocketAddress localAddress() {
    return NOWHERE;
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return NOWHERE;
  }

  @Override
  public Status closeReason() {
    return Status.OK;
  }

  @Override
  public void shutdownOutput() {}

  @Override
  public void reset() {}

  @Override
  public void close() {}
}
