package io.remora.base.sim;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the kernel of a {@link SimMachine} has open on the network. Belongs to the simulation's thread. */
final class Sockets {
  private static final int FIRST_EPHEMERAL = 32768;
  private static final int LAST_EPHEMERAL = 60999;

  private final SimMachine machine;
  private final Map<InetSocketAddress, SimListener> listeners = new LinkedHashMap<>();
  private final Map<InetSocketAddress, SimDatagramSocket> datagrams = new LinkedHashMap<>();
  private final Set<TcpEnd> ends = new LinkedHashSet<>();
  private int nextPort;

  Sockets(SimMachine machine, int firstPort) {
    this.machine = machine;
    this.nextPort = FIRST_EPHEMERAL + firstPort % (LAST_EPHEMERAL - FIRST_EPHEMERAL);
  }

  void add(TcpEnd end) {
    ends.add(end);
  }

  void remove(TcpEnd end) {
    ends.remove(end);
  }

  List<TcpEnd> ends() {
    return List.copyOf(ends);
  }

  int count() {
    return ends.size() + listeners.size() + datagrams.size();
  }

  void add(InetSocketAddress address, SimListener listener) {
    listeners.put(address, listener);
  }

  void remove(SimListener listener) {
    listeners.values().remove(listener);
  }

  void add(InetSocketAddress address, SimDatagramSocket socket) {
    datagrams.put(address, socket);
  }

  void remove(SimDatagramSocket socket) {
    datagrams.values().remove(socket);
  }

  @Nullable
  SimListener listener(InetSocketAddress to) {
    return find(listeners, to);
  }

  @Nullable
  SimDatagramSocket datagram(InetSocketAddress to) {
    return find(datagrams, to);
  }

  /** The address to listen at when {@code wanted} was asked for. */
  InetSocketAddress listenAddress(InetSocketAddress wanted) {
    return free(listeners, wanted);
  }

  /** The address to bind to when {@code wanted} was asked for. */
  InetSocketAddress datagramAddress(InetSocketAddress wanted) {
    return free(datagrams, wanted);
  }

  /** A local address for a connection to {@code remote}. */
  InetSocketAddress callerAddress(InetAddress remote) {
    return new InetSocketAddress(remote.isLoopbackAddress() ? remote : machine.address(), port());
  }

  /** The process has ended; peers hear of it, in one way or the other. */
  void kill(SimNet net) {
    for (TcpEnd end : ends()) {
      if (end.abandoned()) {
        continue;
      }
      if (net.random().nextBoolean()) {
        end.reset();
      } else {
        end.close();
      }
    }
    listeners.clear();
    datagrams.clear();
  }

  /** The power went; nobody hears of it. */
  void vanish() {
    ends().forEach(TcpEnd::vanish);
    listeners.clear();
    datagrams.clear();
  }

  private <T> InetSocketAddress free(Map<InetSocketAddress, T> bound, InetSocketAddress wanted) {
    InetAddress address = wanted.getAddress();
    if (address == null || !machine.owns(address)) {
      throw new RemoraException(Status.INVALID, wanted + " is no address of machine " + machine.name());
    }
    if (wanted.getPort() != 0) {
      if (taken(bound, wanted)) {
        throw new RemoraException(Status.EXISTS, wanted + " is in use on machine " + machine.name());
      }
      return wanted;
    }
    for (int i = FIRST_EPHEMERAL; i <= LAST_EPHEMERAL; i++) {
      InetSocketAddress candidate = new InetSocketAddress(address, port());
      if (!taken(bound, candidate)) {
        return candidate;
      }
    }
    throw new RemoraException(Status.NO_RESOURCES, "machine " + machine.name() + " has no free port");
  }

  private static <T> boolean taken(Map<InetSocketAddress, T> bound, InetSocketAddress wanted) {
    for (InetSocketAddress other : bound.keySet()) {
      boolean overlap = other.getAddress().isAnyLocalAddress() || wanted.getAddress().isAnyLocalAddress()
          || other.getAddress().equals(wanted.getAddress());
      if (other.getPort() == wanted.getPort() && overlap) {
        return true;
      }
    }
    return false;
  }

  private static <T> @Nullable T find(Map<InetSocketAddress, T> bound, InetSocketAddress to) {
    T exact = bound.get(to);
    if (exact != null) {
      return exact;
    }
    for (Map.Entry<InetSocketAddress, T> entry : bound.entrySet()) {
      if (entry.getKey().getPort() == to.getPort() && entry.getKey().getAddress().isAnyLocalAddress()) {
        return entry.getValue();
      }
    }
    return null;
  }

  private int port() {
    nextPort = nextPort >= LAST_EPHEMERAL ? FIRST_EPHEMERAL : nextPort + 1;
    return nextPort;
  }
}
