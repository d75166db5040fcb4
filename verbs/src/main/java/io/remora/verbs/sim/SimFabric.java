package io.remora.verbs.sim;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What connects simulated devices with each other: all that is opened by the {@linkplain SimProvider providers} of one fabric. Everything that a verbs device can do, it can;
 * what it does wrong is decided by the loops' randomness, so a seed repeats it. From any thread; set faults before it is used, or from a simulation's own thread.
 */
public final class SimFabric {
  /** Not a time: it cannot arrive. */
  static final long LOST = Long.MIN_VALUE;

  private static final int FIRST_FREE_PORT = 49_152;

  private final Map<Integer, SimQueuePair> queuePairs = new ConcurrentHashMap<>();
  private final Map<String, SimListener> listeners = new ConcurrentHashMap<>();
  private final SimProvider provider = newProvider(SimProvider.NAME);
  private volatile long minDelayNs;
  private volatile long maxDelayNs;
  private volatile double breakChance;
  private volatile double datagramLoss;
  private volatile BiPredicate<Loop, Loop> reachable = (from, to) -> true;

  /** A provider, named {@code sim}, with the one device {@code sim0}; for everybody who needs no other. */
  public SimProvider provider() {
    return provider;
  }

  /** Another one called {@code name}, with another device {@code sim0}: of a machine whose device is taken out, or is one of several. */
  public SimProvider newProvider(String name) {
    return new SimProvider(this, name);
  }

  /** Every message takes that long, in nanoseconds; those of one connection stay in order, those of several overtake each other. */
  public void delay(long minNs, long maxNs) {
    Check.argument(minNs >= 0 && maxNs >= minNs, "delay from %d to %d ns", minNs, maxNs);
    minDelayNs = minNs;
    maxDelayNs = maxNs;
  }

  /** How likely a message of a reliable connection breaks it, 0 to 1. */
  public void breakConnections(double chance) {
    breakChance = chance;
  }

  /** How likely a message of an unreliable queue pair is lost, 0 to 1. */
  public void loseDatagrams(double chance) {
    datagramLoss = chance;
  }

  /** Who reaches whom; what does not arrive breaks reliable connections. Everybody, unless told otherwise. */
  public void reach(BiPredicate<Loop, Loop> fromTo) {
    reachable = fromTo;
  }

  /** What {@code context} has: it is its loop's. */
  void fail(SimContext context, String text) {
    listeners.values().removeIf(each -> each.context() == context);
    for (SimQueuePair each : queuePairs.values()) {
      if (each.isOf(context)) {
        each.deviceFailed(text);
      }
    }
  }

  boolean breaks(Loop loop) {
    double chance = breakChance;
    return chance > 0 && loop.random().nextDouble() < chance;
  }

  boolean loses(Loop loop) {
    double chance = datagramLoss;
    return chance > 0 && loop.random().nextDouble() < chance;
  }

  /** Has {@code task} run on {@code to} after a delay, not before {@code notBeforeNs}; returns the time of arrival by {@code from}'s clock, or {@link #LOST}. */
  long carry(Loop from, Loop to, long notBeforeNs, Runnable task) {
    if (!reachable.test(from, to)) {
      return LOST;
    }
    long now = from.clock().nanoTime();
    long spread = maxDelayNs - minDelayNs;
    long arrival = Math.max(notBeforeNs, now + minDelayNs + (spread > 0 ? from.random().nextLong(spread + 1) : 0));
    if (arrival <= now) {
      return execute(to, task) ? arrival : LOST;
    }
    from.timer(() -> execute(to, task)).arm(arrival - now);
    return arrival + 1;
  }

  static boolean execute(Loop to, Runnable task) {
    try {
      to.execute(task);
      return true;
    } catch (RemoraException e) {
      return false;
    }
  }

  @Nullable
  SimQueuePair queuePair(int number) {
    return queuePairs.get(number);
  }

  void add(SimQueuePair queuePair) {
    queuePairs.put(queuePair.number(), queuePair);
  }

  void remove(SimQueuePair queuePair) {
    queuePairs.remove(queuePair.number());
  }

  InetSocketAddress listen(InetSocketAddress address, QueuePairType type, SimListener listener) {
    int port = address.getPort();
    // Those of processes that were killed.
    listeners.values().removeIf(each -> !execute(each.context().loop(), () -> {}));
    if (port == 0) {
      for (port = FIRST_FREE_PORT; listeners.putIfAbsent(key(address, port, type), listener) != null; port++) {
        Check.that(port < 65_535, "no port is free");
      }
    } else if (listeners.putIfAbsent(key(address, port, type), listener) != null) {
      throw new RemoraException(Status.EXISTS, address + " is in use");
    }
    return new InetSocketAddress(address.getAddress(), port);
  }

  void unlisten(InetSocketAddress address, QueuePairType type, SimListener listener) {
    listeners.remove(key(address, address.getPort(), type), listener);
  }

  @Nullable
  SimListener listener(InetSocketAddress address, QueuePairType type) {
    SimListener exact = listeners.get(key(address, address.getPort(), type));
    if (exact != null) {
      return exact;
    }
    SimListener any = listeners.get("0.0.0.0:" + address.getPort() + service(type));
    return any != null ? any : listeners.get("0:0:0:0:0:0:0:0:" + address.getPort() + service(type));
  }

  private static String key(InetSocketAddress address, int port, QueuePairType type) {
    return address.getAddress().getHostAddress() + ":" + port + service(type);
  }

  /** RC and UC share ports, UD has its own. */
  private static String service(QueuePairType type) {
    return type == QueuePairType.UD ? "/udp" : "/tcp";
  }
}
