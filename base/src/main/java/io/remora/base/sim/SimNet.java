package io.remora.base.sim;

import io.remora.base.Check;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The network between the machines of a {@link Simulation}, and what can befall it. Belongs to the simulation's thread.
 *
 * <p>Streams are TCP: what is lost on the way is sent again, so a cut network delays and never reports; only a reset ends a
 * connection. Sockets have small buffers, writes are taken in part, and reads come in pieces of any size, as the seed decides.
 * Datagrams are lost, doubled and overtaken.
 */
public final class SimNet {
  private static final long MAX_RETRANSMISSION_NS = 200_000_000L;
  private static final int[] BUFFER_BYTES = {2 << 10, 16 << 10, 64 << 10, 256 << 10};

  private record Link(SimMachine from, SimMachine to) {}

  private record Packet(SimMachine from, SimMachine to, int boot, Runnable arrival) {}

  private record Breakage(SimMachine from, SimMachine to, long afterBytes) {}

  private final Simulation simulation;
  private final RandomGenerator random;
  private final Set<Link> cuts = new LinkedHashSet<>();
  private final List<Packet> parked = new ArrayList<>();
  private final List<Breakage> breakages = new ArrayList<>();
  private long minLatencyNs = 20_000;
  private long maxLatencyNs = 200_000;
  private long bytesPerSecond = Long.MAX_VALUE;
  private boolean fragments = true;
  private double datagramLoss;
  private double datagramDuplication;

  SimNet(Simulation simulation, RandomGenerator random) {
    this.simulation = simulation;
    this.random = random;
  }

  /** How long a packet takes from one machine to another; within one machine it is quicker. At first 20 to 200 microseconds. */
  public void latency(long minNs, long maxNs) {
    Check.argument(minNs >= 0 && minNs <= maxNs, "latency from %d to %d ns", minNs, maxNs);
    minLatencyNs = minNs;
    maxLatencyNs = maxNs;
  }

  /** How fast each stream is, in each direction. At first there is no limit. */
  public void bandwidth(long newBytesPerSecond) {
    Check.argument(newBytesPerSecond >= 1, "%d bytes per second", newBytesPerSecond);
    bytesPerSecond = newBytesPerSecond;
  }

  /**
   * Whether reads and writes of streams are cut into pieces of any size. At first they are; without, streams move as much as
   * there is room for, which is quicker for tests that are about something else.
   */
  public void fragments(boolean on) {
    fragments = on;
  }

  /** How many datagrams get lost and how many arrive twice, as probabilities. At first none. */
  public void datagrams(double loss, double duplication) {
    datagramLoss = loss;
    datagramDuplication = duplication;
  }

  /** Cuts the network between two machines, both ways. Nobody is told; what is on the way waits for {@link #heal}. */
  public void partition(SimMachine one, SimMachine other) {
    cut(one, other);
    cut(other, one);
  }

  /** Cuts one direction. */
  public void cut(SimMachine from, SimMachine to) {
    cuts.add(new Link(from, to));
  }

  /** Cuts {@code machine} off from all others. */
  public void isolate(SimMachine machine) {
    for (SimMachine other : simulation.machines()) {
      if (!other.equals(machine)) {
        partition(machine, other);
      }
    }
  }

  /** Ends what {@link #cut} and {@link #partition} did between two machines. */
  public void heal(SimMachine one, SimMachine other) {
    cuts.remove(new Link(one, other));
    cuts.remove(new Link(other, one));
    retransmit();
  }

  /** Ends all cuts. */
  public void heal() {
    cuts.clear();
    retransmit();
  }

  /** Resets all connections between two machines, now; either may be the same. */
  public void reset(SimMachine one, SimMachine other) {
    for (TcpEnd end : one.sockets().ends()) {
      if (end.peerMachine().equals(other)) {
        end.breakOff();
      }
    }
  }

  /**
   * Resets the next connection that {@code from} makes to {@code to} once {@code afterBytes} bytes have arrived on it, both
   * directions together: with 0, 1, 2 and so on, a test cuts a conversation at every byte.
   */
  public void breakNextConnection(SimMachine from, SimMachine to, long afterBytes) {
    breakages.add(new Breakage(from, to, afterBytes));
  }

  /** Takes back what {@link #breakNextConnection} has ordered and no connection has met yet. */
  public void breakNoConnection() {
    breakages.clear();
  }

  Simulation simulation() {
    return simulation;
  }

  RandomGenerator random() {
    return random;
  }

  /** The machine that {@code asking} reaches at {@code address}, or null. */
  @Nullable
  SimMachine find(InetAddress address, SimMachine asking) {
    if (asking.owns(address)) {
      return asking;
    }
    for (SimMachine machine : simulation.machines()) {
      if (machine.address().equals(address)) {
        return machine;
      }
    }
    return null;
  }

  /** Runs {@code arrival} when a packet arrives that leaves after {@code delayNs} and is sent again until it does. */
  void deliver(SimMachine from, SimMachine to, long delayNs, Runnable arrival) {
    Packet packet = new Packet(from, to, from.boots(), arrival);
    simulation.after(delayNs + travelNs(from, to), new EventQueue.Event(() -> arrive(packet)));
  }

  /** Runs {@code arrival} when a datagram arrives: once, twice or never. */
  void deliverDatagram(SimMachine from, SimMachine to, Runnable arrival) {
    int copies = random.nextDouble() < datagramLoss ? 0 : random.nextDouble() < datagramDuplication ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      simulation.after(travelNs(from, to), new EventQueue.Event(() -> {
        if (reaches(from, to)) {
          arrival.run();
        }
      }));
    }
  }

  /** After how many bytes a new connection breaks, or never. */
  long breakAfter(SimMachine from, SimMachine to) {
    for (Breakage breakage : breakages) {
      if (breakage.from.equals(from) && breakage.to.equals(to)) {
        breakages.remove(breakage);
        return breakage.afterBytes;
      }
    }
    return Long.MAX_VALUE;
  }

  /** The size of a socket's buffer. */
  int bufferBytes() {
    return BUFFER_BYTES[fragments ? random.nextInt(BUFFER_BYTES.length) : BUFFER_BYTES.length - 1];
  }

  /** How long {@code bytes} keep a stream's direction busy. */
  long wireNs(long bytes) {
    return bytesPerSecond == Long.MAX_VALUE ? 0 : (long) (bytes * 1e9 / bytesPerSecond);
  }

  /** How much of {@code bytes} (at least 1) a read or write moves. */
  long piece(long bytes) {
    if (!fragments) {
      return bytes;
    }
    return switch (random.nextInt(8)) {
      case 0 -> 1;
      case 1 -> Math.min(bytes, 1 + random.nextInt(16));
      case 2, 3 -> 1 + random.nextLong(bytes);
      default -> bytes;
    };
  }

  /** Sends again what waits, after a change of what can be reached. */
  void retransmit() {
    List<Packet> again = List.copyOf(parked);
    parked.clear();
    for (Packet packet : again) {
      if (packet.boot != packet.from.boots()) {
        // Whoever would have sent it again has lost it with its memory.
        continue;
      }
      simulation.after(1 + random.nextLong(MAX_RETRANSMISSION_NS), new EventQueue.Event(() -> arrive(packet)));
    }
  }

  private void arrive(Packet packet) {
    if (reaches(packet.from, packet.to)) {
      packet.arrival.run();
    } else {
      parked.add(packet);
    }
  }

  private boolean reaches(SimMachine from, SimMachine to) {
    return to.powered() && !cuts.contains(new Link(from, to));
  }

  private long travelNs(SimMachine from, SimMachine to) {
    long share = from.equals(to) ? 10 : 1;
    long jitterNs = random.nextLong(maxLatencyNs - minLatencyNs + 1);
    boolean lost = random.nextInt(1024) == 0;
    return (minLatencyNs + jitterNs) / share + (lost && share == 1 ? 20 * maxLatencyNs : 0);
  }
}
