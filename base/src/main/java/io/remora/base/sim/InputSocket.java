package io.remora.base.sim;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** A stream that only brings something: a subclass says what. Belongs to no loop and is connected to nobody, for what parses streams; one thread. */
public abstract class InputSocket implements StreamSocket {
  private static final InetSocketAddress NOWHERE = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @Override
  public final Loop loop() {
    throw new UnsupportedOperationException("belongs to no loop");
  }

  @Override
  public final InetSocketAddress localAddress() {
    return NOWHERE;
  }

  @Override
  public final InetSocketAddress remoteAddress() {
    return NOWHERE;
  }

  @Override
  public final long write(Sgl source) {
    throw new UnsupportedOperationException("nothing is written here");
  }

  @Override
  public final Status closeReason() {
    return Status.OK;
  }

  @Override
  public final void shutdownOutput() {}

  @Override
  public final void reset() {}

  @Override
  public final void close() {}
}
