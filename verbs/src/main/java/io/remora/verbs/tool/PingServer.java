package io.remora.verbs.tool;

import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The answering end of pings, as {@code rping -s -P} of rdma-core: for any number of clients (up to a bound) it reads what they announce, and writes it back. Belongs to its context's
 * loop, and all its methods are called there.
 */
public final class PingServer implements AutoCloseable {
  /** Hears of the clients, on the loop. */
  public interface Listener {
    /** A round has been served. */
    default void onRound(InetSocketAddress client, int bytes) {}

    /** A client has gone, in order ({@link Status#OK}) or not. */
    default void onEnd(InetSocketAddress client, int rounds, Status reason, String text) {}
  }

  private static final int MAX_CLIENTS = 64;

  private final Context context;
  private final Listener listener;
  private final CmListener connections;
  private final List<Session> sessions = new ArrayList<>();

  /** Listens at {@code address}; port 0 picks a free one. Throws what {@link io.remora.verbs.ConnectionManager#listen} throws. */
  public PingServer(Context context, InetSocketAddress address, Listener listener) {
    this.context = context;
    this.listener = listener;
    this.connections = context.connectionManager().listen(address, QueuePairType.RC, this::onRequest);
  }

  /** Where it listens. */
  public InetSocketAddress localAddress() {
    return connections.localAddress();
  }

  private void onRequest(CmRequest request) {
    if (sessions.size() == MAX_CLIENTS) {
      request.reject(MemorySegment.NULL);
      return;
    }
    Session session = new Session(request.remoteAddress());
    sessions.add(session);
    session.accept(request);
  }

  /** Ends all pings. Idempotent. */
  @Override
  public void close() {
    connections.close();
    List.copyOf(sessions).forEach(Session::close);
    sessions.clear();
  }

  /** One client's. */
  private final class Session extends PingEnd {
    private final InetSocketAddress client;
    /** The next message says where the text goes back to. */
    private boolean writes;
    private int length;
    private int rounds;

    Session(InetSocketAddress client) {
      super(PingServer.this.context);
      this.client = client;
    }

    void accept(CmRequest request) {
      CmId id = request.attach(context(), this);
      use(id);
      id.accept(PARAMETERS);
    }

    @Override
    public void onEstablished(CmId.Established connection) {}

    @Override
    void onMessage(long address, int key, long bytes) {
      if (bytes < 1 || bytes > MAX_BYTES) {
        end(Status.OUT_OF_RANGE, "the client announces " + bytes + " bytes: 1 to " + MAX_BYTES);
      } else if (!writes) {
        length = (int) bytes;
        read(address, key, length);
      } else {
        write(address, key, Math.min((int) bytes, textBytes()));
      }
    }

    /** As much as there is of a text, its end included. */
    private int textBytes() {
      for (int i = 0; i < length; i++) {
        if (texts.get(ValueLayout.JAVA_BYTE, i) == 0) {
          return i + 1;
        }
      }
      return length;
    }

    @Override
    void onDone(CompletionOpcode opcode) {
      if (opcode == CompletionOpcode.READ) {
        writes = true;
        send(0, length);
      } else if (opcode == CompletionOpcode.WRITE) {
        writes = false;
        rounds++;
        listener.onRound(client, length);
        send(0, length);
      }
    }

    @Override
    void onEnd(Status reason, String text) {
      sessions.remove(this);
      listener.onEnd(client, rounds, reason, text);
    }
  }
}
