package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The sockets by which one datagram queue pair sends, one for each receiver, made when it first sends there. Belongs to its context's loop.
 *
 * <p>They are connected, so that the kernel says who the receiver is before anything is sent to it, and so that who takes the name of one that has gone hears nothing.
 */
final class DatagramWays {
  private final Local local;
  private final int maxWays;
  private final Map<Receiver, Way> ways = new LinkedHashMap<>(16, 0.75f, true);
  private final Receiver asked = new Receiver(0);
  private @Nullable Way last;

  /**
   * None yet.
   *
   * @param maxWays of so many, the one that was used least recently goes for another
   */
  DatagramWays(Local local, int maxWays) {
    this.local = local;
    this.maxWays = maxWays;
  }

  /** The number of a receiver's queue pair, as a key that can be changed: looking for it allocates nothing. Those in the map never change. */
  private static final class Receiver {
    private int number;

    Receiver(int number) {
      this.number = number;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Receiver receiver && receiver.number == number;
    }

    @Override
    public int hashCode() {
      return number;
    }
  }

  /**
   * Sends one datagram to the queue pair of that number, if there is one of this user's.
   *
   * @return {@code length}; 0 when there is no room there now; {@link LocalSocket#CLOSED} when there is none
   */
  int send(int to, MemorySegment message, int length) {
    Way way = last;
    if (way == null || way.to != to) {
      asked.number = to;
      way = ways.get(asked);
    }
    if (way != null) {
      last = way;
      int sent = way.socket.send(message, 0, length);
      if (sent != LocalSocket.CLOSED) {
        return sent;
      }
      // It has gone; another may have its number by now.
      way.end();
    }
    way = new Way(to);
    int sent = way.socket.send(message, 0, length);
    if (sent == LocalSocket.CLOSED) {
      way.socket.close();
    } else {
      keep(way);
    }
    return sent;
  }

  private void keep(Way way) {
    if (ways.size() >= maxWays) {
      ways.values().iterator().next().end();
    }
    ways.put(new Receiver(way.to), way);
    last = way;
  }

  void close() {
    for (Way way : ways.values().toArray(Way[]::new)) {
      way.end();
    }
  }

  /** To one receiver, of whom nothing is heard but the end. */
  private final class Way implements LocalSocket.Handler {
    private final int to;
    private final LocalSocket socket;

    Way(int to) {
      this.to = to;
      this.socket = local.connect(ShmNames.datagrams(local, to), this);
    }

    void end() {
      socket.close();
      asked.number = to;
      ways.remove(asked, this);
      if (last == this) {
        last = null;
      }
    }

    @Override
    public void onReadable() {
      end();
    }

    @Override
    public void onClosed(Status reason) {
      end();
    }
  }
}
