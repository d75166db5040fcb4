package io.remora.nvme.tcp;

import io.remora.base.Buffer;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.StreamListener;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.LoopSeats;
import io.remora.nvme.target.Port;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Makes a target reachable by NVMe/TCP. */
public final class TcpTarget {
  private static final System.Logger LOG = System.getLogger(TcpTarget.class.getName());

  private TcpTarget() {}

  /**
   * Listens at {@code address} (port 0 picks a free one). Connections, and so queues, are dealt to {@code loops} evenly ({@link LoopSeats});
   * the first one accepts them. From any thread.
   *
   * @return completes on the first loop; fails with {@link RemoraException} as {@link io.remora.base.Net#listen}
   */
  public static CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target) {
    CompletableFuture<TargetListener> done = new CompletableFuture<>();
    Loop first = loops.getFirst();
    first.execute(() -> {
      try {
        done.complete(open(List.copyOf(loops), address, target));
      } catch (RemoraException e) {
        done.completeExceptionally(e);
      }
    });
    return done;
  }

  private static TargetListener open(List<Loop> loops, InetSocketAddress address, Target target) {
    Loop first = loops.getFirst();
    LoopSeats seats = new LoopSeats(first, loops);
    StreamListener listener = first.net().listen(address, accepted -> {
      LoopSeats.Seat seat = seats.take(accepted.remoteAddress().getAddress());
      Loop loop = seat.loop();
      if (loop == first) {
        serve(target.on(loop), accepted, seat);
      } else {
        loop.execute(() -> serve(target.on(loop), accepted, seat));
      }
    });
    Port port = Port.tcp(target.newPortId(), listener.localAddress());
    target.addPort(port);
    return new TargetListener(listener.localAddress(), port, () -> {
      target.removePort(port);
      first.execute(listener::close);
    });
  }

  /** Serves a connection that has come in, on the context's loop, or turns it away when there is no memory for it. */
  private static void serve(LoopContext context, StreamListener.Accepted accepted, LoopSeats.Seat seat) {
    if (!context.open()) {
      accepted.close();
      seat.leave();
      return;
    }
    boolean entered = context.target().enterConnection();
    Buffer staging = entered ? context.pool().take(context.connections(), TargetConnection.STAGING_BYTES) : null;
    if (staging != null) {
      TargetConnection.serve(context, staging, accepted, seat);
      return;
    }
    if (entered) {
      context.target().leaveConnection();
    }
    if (context.turnAway()) {
      LOG.log(System.Logger.Level.WARNING,
          "{0}: turned away, there are too many connections; so may others be, which is not told for a minute",
          accepted.remoteAddress());
    }
    accepted.close();
    seat.leave();
  }
}
