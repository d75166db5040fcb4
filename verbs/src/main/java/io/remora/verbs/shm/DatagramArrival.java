package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The socket by which one sender's datagrams come to one datagram queue pair. Belongs to its context's loop. */
final class DatagramArrival implements LocalSocket.Handler {
  private static final int MAX_PER_EVENT = 256;

  private final ShmContext context;
  private final DatagramQueuePair queuePair;
  private @Nullable LocalSocket socket;
  private boolean ended;

  DatagramArrival(ShmContext context, DatagramQueuePair queuePair) {
    this.context = context;
    this.queuePair = queuePair;
  }

  void begin(LocalListener.Accepted connection) {
    LocalSocket attached = connection.attach(context.loop(), this);
    socket = attached;
    if (ended) {
      attached.close();
    }
  }

  @Override
  public void onReadable() {
    for (int i = 0; i < MAX_PER_EVENT; i++) {
      LocalSocket from = socket;
      if (ended || from == null) {
        return;
      }
      MemorySegment message = context.scratch();
      int length = from.receive(message, 0, (int) message.byteSize());
      if (length == 0) {
        return;
      }
      if (length < DatagramQueuePair.HEADER_BYTES
          || length > DatagramQueuePair.HEADER_BYTES + ShmContext.MAX_DATAGRAM_BYTES) {
        // The end, or none that keeps to the rules.
        close();
        return;
      }
      if (message.get(JAVA_INT, 0) == DatagramQueuePair.QUEUE_KEY) {
        queuePair.arrived(message, length - DatagramQueuePair.HEADER_BYTES);
      }
    }
    context.loop().execute(this::onReadable);
  }

  @Override
  public void onClosed(Status reason) {
    close();
  }

  void close() {
    if (!ended) {
      ended = true;
      queuePair.gone(this);
      LocalSocket from = socket;
      if (from != null) {
        from.close();
      }
    }
  }
}
