package io.remora.bench.iwarp;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Loop;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** The end that is driven. Belongs to its loop. */
final class Server {
  private Server() {}

  /** Listens for one connection, on the loop; returns the port. */
  static int listen(Loop loop, Work work) {
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return switch (work.carrier()) {
      case STREAM -> {
        StreamEnd end = new StreamEnd(loop, work);
        yield loop.net().listen(anywhere, connection -> {
          end.use(connection.attach(loop, end));
          next(end, work);
        }).localAddress().getPort();
      }
      case IWARP -> {
        Echo echo = new Echo(loop, work);
        yield echo.context().connectionManager().listen(anywhere, QueuePairType.RC, request -> {
          CmId id = request.attach(echo.context(), echo);
          echo.prepare(id);
          id.accept(CmId.Parameters.DEFAULT.with(
              MemorySegment.ofArray(new long[] {echo.region().address(), echo.region().remoteKey()})));
        }).localAddress().getPort();
      }
    };
  }

  private static void next(StreamEnd end, Work work) {
    end.receive(StreamDriver.WORD, () -> {
      long bytes = end.memory().get(JAVA_LONG, 0);
      if (work.direction() == Work.Direction.READ) {
        end.send(bytes, () -> next(end, work));
      } else {
        end.receive(bytes, () -> end.send(StreamDriver.WORD, () -> next(end, work)));
      }
    });
  }

  /** Answers each message by one. */
  private static final class Echo extends RdmaEnd {
    Echo(Loop loop, Work work) {
      super(loop, work);
    }

    @Override
    void onMessage() {
      message();
    }
  }
}
