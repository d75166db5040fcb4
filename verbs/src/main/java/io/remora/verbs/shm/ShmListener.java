package io.remora.verbs.shm;

import io.remora.base.Addresses;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes connection requests. Belongs to its context's loop. */
final class ShmListener implements CmListener {
  private static final int FIRST_FREE_PORT = 49_152;
  private static final int MAX_TRIES = 1000;
  /** More that have connected and said nothing yet are turned away. */
  private static final int MAX_SILENT = 4096;
  private static final long SILENCE_NS = 10_000_000_000L;
  private static final System.Logger LOG = System.getLogger("io.remora.verbs");

  private final ShmContext context;
  private final QueuePairType type;
  private final Handler handler;
  private final InetSocketAddress address;
  private final LocalListener listener;
  private final Set<Arrival> arrivals = new HashSet<>();
  private boolean otherVersionTold;
  private boolean closed;

  private ShmListener(ShmContext context, InetSocketAddress address, QueuePairType type, Handler handler) {
    this.context = context;
    this.type = type;
    this.handler = handler;
    this.address = address;
    this.listener = context.local().listen(ShmNames.listener(context.local(), type, address), this::accepted);
    context.opened("listener");
  }

  static ShmListener open(ShmContext context, InetSocketAddress address, QueuePairType type, Handler handler) {
    if (address.getPort() != 0) {
      return new ShmListener(context, address, type, handler);
    }
    for (int i = 0;; i++) {
      int port = FIRST_FREE_PORT + context.loop().random().nextInt((1 << 16) - FIRST_FREE_PORT);
      try {
        return new ShmListener(context, new InetSocketAddress(address.getAddress(), port), type, handler);
      } catch (RemoraException e) {
        if (e.status() != Status.EXISTS || i == MAX_TRIES) {
          throw e;
        }
      }
    }
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  ShmContext context() {
    return context;
  }

  private void accepted(LocalListener.Accepted connection) {
    if (arrivals.size() >= MAX_SILENT) {
      connection.close();
      return;
    }
    Arrival arrival = new Arrival();
    arrivals.add(arrival);
    arrival.begin(connection);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      listener.close();
      Set.copyOf(arrivals).forEach(Arrival::drop);
      context.closed("listener");
    }
  }

  /** Somebody who has connected and has not said yet what he wants. */
  private final class Arrival implements LocalSocket.Handler {
    private final Timer silence = context.loop().timer(this::drop);
    private @Nullable LocalSocket socket;

    void begin(LocalListener.Accepted connection) {
      silence.arm(SILENCE_NS);
      socket = connection.attach(context.loop(), this);
    }

    /** Of another version: says so here, and shows this end's version there, by a message that begins as those of all versions do. */
    private void refuse(LocalSocket from, int length) {
      String version = Hello.otherVersion(context.scratch(), length, from.peerProcess());
      if (version != null) {
        if (!otherVersionTold) {
          otherVersionTold = true;
          LOG.log(System.Logger.Level.WARNING, "{0}, at {1}; more of them are not told", version,
              Addresses.format(address));
        }
        int answer = new Hello(Hello.REJECT, type, 0, 0, 0, address, MemorySegment.NULL).write(context.scratch());
        from.send(context.scratch(), 0, answer);
      }
      drop();
    }

    void drop() {
      silence.cancel();
      arrivals.remove(this);
      LocalSocket from = socket;
      if (from != null) {
        from.close();
      }
    }

    @Override
    public void onClosed(Status reason) {
      drop();
    }

    @Override
    public void onReadable() {
      LocalSocket from = socket;
      if (from == null) {
        return;
      }
      int length = from.receive(context.scratch(), 0, (int) context.scratch().byteSize());
      if (length == 0) {
        return;
      }
      Hello hello = length < 0 ? null : Hello.read(context.scratch(), length);
      if (hello == null || hello.kind() != Hello.REQUEST || hello.type() != type) {
        refuse(from, length);
        return;
      }
      Descriptors descriptors = new Descriptors(context.local(), from);
      silence.cancel();
      arrivals.remove(this);
      ShmCmRequest request = new ShmCmRequest(ShmListener.this, hello, descriptors, from.detach());
      handler.onConnectRequest(request);
    }
  }
}
