package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * A stream socket of a {@link SimLoop}. Edge-triggered to the letter: the handler hears of new data only after a read has
 * returned 0, so code that stops reading early and waits stands still here as it may elsewhere.
 */
final class SimStream implements StreamSocket {
  private static final long CONNECT_TIMEOUT_NS = 127_000_000_000L;

  private final SimLoop loop;
  private final SimNet net;
  private final TcpEnd end;
  private final Handler handler;
  private final EventQueue.Event connectTimeout = new EventQueue.Event(this::connectTimedOut);
  private boolean closed;
  private boolean failureTold;
  private boolean readDrained = true;
  private boolean writeBlocked;

  SimStream(SimLoop loop, TcpEnd end, Handler handler) {
    this.loop = loop;
    this.net = loop.simulation().net();
    this.end = end;
    this.handler = handler;
    end.attach(this);
  }

  /** Tells the handler what came in before there was one. */
  void catchUp() {
    Status failure = end.failure();
    if (end.receivedBytes() > 0 || end.endReceived()) {
      readable();
    }
    if (failure != null) {
      failed(failure);
    }
  }

  /** It is being connected: a kernel tries so long to reach somebody who does not answer. */
  void connecting() {
    loop.simulation().after(CONNECT_TIMEOUT_NS, connectTimeout);
  }

  void connected() {
    loop.simulation().cancel(connectTimeout);
    loop.enqueue(() -> {
      if (!closed) {
        handler.onConnected();
      }
    });
    if (writeBlocked) {
      writable();
    }
  }

  void readable() {
    if (readDrained) {
      readDrained = false;
      loop.enqueue(() -> {
        if (!closed) {
          handler.onReadable();
        }
      });
    }
  }

  void writable() {
    if (writeBlocked) {
      writeBlocked = false;
      loop.enqueue(() -> {
        if (!closed) {
          handler.onWritable();
        }
      });
    }
  }

  void failed(Status reason) {
    loop.simulation().cancel(connectTimeout);
    if (end.established() && net.random().nextBoolean()) {
      readable();
    }
    loop.enqueue(() -> {
      if (!closed && !failureTold) {
        failureTold = true;
        handler.onClosed(reason);
      }
    });
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public InetSocketAddress localAddress() {
    return end.local();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return end.remote();
  }

  @Override
  public long read(MemorySegment target, long offset, long length) {
    loop.checkInLoop();
    Check.that(length >= 1 && target.isNative(), "a read needs native memory");
    if (closed || !loop.alive()) {
      return CLOSED;
    }
    if (end.receivedBytes() > 0) {
      long take = net.piece(Math.min(length, end.receivedBytes()));
      end.read(target, offset, take);
      return take;
    }
    if (end.failure() != null) {
      failureTold = true;
      return CLOSED;
    }
    if (end.endReceived()) {
      return CLOSED;
    }
    readDrained = true;
    return 0;
  }

  @Override
  public long write(Sgl source) {
    loop.checkInLoop();
    if (closed || !loop.alive() || end.endSent()) {
      return CLOSED;
    }
    if (end.failure() != null) {
      failureTold = true;
      return CLOSED;
    }
    long total = source.totalBytes();
    long room = Math.min(total, end.room());
    long taken = room == 0 ? 0 : net.piece(room);
    if (taken > 0) {
      end.write(source, taken);
    }
    writeBlocked = taken < total;
    return taken;
  }

  @Override
  public Status closeReason() {
    Status failure = end.failure();
    return failure == null ? Status.OK : failure;
  }

  @Override
  public void shutdownOutput() {
    loop.checkInLoop();
    if (!closed && loop.alive()) {
      end.finish();
    }
  }

  @Override
  public StreamListener.Accepted detach() {
    loop.checkInLoop();
    Check.that(!closed && end.established(), "only a connection that stands can move to another loop");
    closed = true;
    return new SimListener.Connection(end);
  }

  @Override
  public void reset() {
    loop.checkInLoop();
    if (!closed && loop.alive()) {
      closed = true;
      loop.simulation().cancel(connectTimeout);
      end.reset();
    }
  }

  @Override
  public void close() {
    loop.checkInLoop();
    if (!closed && loop.alive()) {
      closed = true;
      loop.simulation().cancel(connectTimeout);
      end.close();
    }
  }

  private void connectTimedOut() {
    end.fail(Status.TIMED_OUT);
  }

  @Override
  public String toString() {
    return end.local() + " to " + end.remote();
  }
}
