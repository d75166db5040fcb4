package io.remora.verbs.tool;

import io.remora.base.Check;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The asking end of pings, as {@code rping -c -V} of rdma-core: in each round it announces a text, lets the server read it and write it back, and compares. Belongs to its context's
 * loop, and all its methods are called there.
 */
public final class PingClient implements AutoCloseable {
  /** Hears how it goes, on the loop. */
  public interface Listener {
    /** Round {@code round}, from 1, has taken {@code ns} nanoseconds: two messages each way, a read and a write. */
    default void onRound(int round, long ns) {}

    /** It is over: {@link Status#OK} when all rounds went well, {@link Status#MISCOMPARE} when something else came back. The last call. */
    void onEnd(Status status, String text);
  }

  private final Session session;

  /**
   * Begins to connect to {@code address}.
   *
   * @param rounds how many, at least 1
   * @param bytes of a text, 16 to 65,536
   */
  public PingClient(Context context, InetSocketAddress address, int rounds, int bytes, Listener listener) {
    Check.argument(rounds >= 1, "%d rounds", rounds);
    Check.argument(bytes >= 16 && bytes <= PingEnd.MAX_BYTES, "texts of %d bytes: 16 to %d", bytes, PingEnd.MAX_BYTES);
    this.session = new Session(context, rounds, bytes, listener);
    session.begin(address);
  }

  /** Breaks it off, if it is not over; nothing is called any more. Idempotent. */
  @Override
  public void close() {
    session.close();
  }

  private static final class Session extends PingEnd {
    private static final long ECHO_AT = MAX_BYTES;
    private final int rounds;
    private final int bytes;
    private final Listener listener;
    private @Nullable CmId connection;
    private int round;
    private long beganNs;
    private boolean echoes;

    Session(Context context, int rounds, int bytes, Listener listener) {
      super(context);
      this.rounds = rounds;
      this.bytes = bytes;
      this.listener = listener;
    }

    void begin(InetSocketAddress address) {
      CmId id = context().connectionManager().resolve(address, QueuePairType.RC, this);
      connection = id;
      own(id);
    }

    @Override
    public void onResolved() {
      CmId id = connection;
      if (id != null) {
        use(id);
        id.connect(PARAMETERS);
      }
    }

    @Override
    public void onEstablished(CmId.Established agreed) {
      if (agreed.responderResources() == 0) {
        end(Status.UNSUPPORTED, "the server does not want to read");
      } else {
        announce();
      }
    }

    private void announce() {
      round++;
      beganNs = context().loop().clock().nanoTime();
      fill();
      send(0, bytes);
    }

    /** A text that is another one in each round. */
    private void fill() {
      byte[] head = ("rdma-ping-" + round + ": ").getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < bytes - 1; i++) {
        texts.set(ValueLayout.JAVA_BYTE, i, i < head.length ? head[i] : (byte) ('A' + (i + round) % 58));
      }
      texts.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 0);
      texts.asSlice(ECHO_AT, bytes).fill((byte) 0);
    }

    @Override
    void onMessage(long address, int key, long length) {
      if (!echoes) {
        echoes = true;
        send(ECHO_AT, bytes);
        return;
      }
      echoes = false;
      if (MemorySegment.mismatch(texts, 0, bytes, texts, ECHO_AT, ECHO_AT + bytes) >= 0) {
        end(Status.MISCOMPARE, "round " + round + ": what came back is not what was sent");
        return;
      }
      listener.onRound(round, context().loop().clock().nanoTime() - beganNs);
      if (round == rounds) {
        end(Status.OK, rounds + " rounds");
      } else {
        announce();
      }
    }

    @Override
    void onDone(CompletionOpcode opcode) {}

    @Override
    void onEnd(Status reason, String text) {
      boolean early = reason.isOk() && (round < rounds || echoes);
      listener.onEnd(early ? Status.DISCONNECTED : reason,
          early ? "the server has ended the connection in round " + round : text);
    }
  }
}
