package io.remora.nvme.target;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.Nqn;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One NVMe-oF target: subsystems, the discovery subsystem that lists them, and where it listens. From any thread.
 *
 * <pre>
 * Target target = new Target(TargetConfig.DEFAULT);
 * Subsystem subsystem = target.addSubsystem(Subsystem.Config.of("nqn.2024-01.com.example:disk1"));
 * subsystem.allowAnyHost(true);
 * subsystem.addNamespace(1, device);
 * TcpTarget.listen(loops, address, target)  // completes with the TargetListener
 * </pre>
 */
public final class Target {
  private final TargetConfig config;
  private final ConcurrentSkipListMap<String, Subsystem> subsystems = new ConcurrentSkipListMap<>();
  private final ConcurrentHashMap<Loop, LoopContext> contexts = new ConcurrentHashMap<>();
  private final CopyOnWriteArrayList<Port> ports = new CopyOnWriteArrayList<>();
  private final AtomicInteger nextPortId = new AtomicInteger(1);
  private final AtomicLong generation = new AtomicLong(1);
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger controllers = new AtomicInteger();
  private final Subsystem discovery;
  private volatile boolean draining;
  private volatile boolean closed;

  /** A target with no subsystem but discovery, which listens nowhere yet. */
  public Target(TargetConfig config) {
    this.config = config;
    Subsystem.Config own = new Subsystem.Config("nqn.2024-01.io.remora:discovery", "discovery", "Remora discovery", 1,
        0xFFEF);
    this.discovery = new Subsystem(this, own, true);
  }

  /** Its bounds. */
  public TargetConfig config() {
    return config;
  }

  /**
   * Adds a subsystem that admits nobody and has no namespaces.
   *
   * @throws RemoraException {@link Status#EXISTS} when there is one of that name
   */
  public Subsystem addSubsystem(Subsystem.Config of) {
    Subsystem subsystem = new Subsystem(this, of, false);
    if (subsystems.putIfAbsent(of.nqn(), subsystem) != null) {
      throw new RemoraException(Status.EXISTS, "there is a subsystem " + of.nqn() + " already");
    }
    return subsystem;
  }

  /**
   * Removes a subsystem and drops its hosts. Completes, on some loop, when no loop uses its devices any more; at once when there
   * is none of that name.
   */
  public CompletableFuture<Void> removeSubsystem(String nqn) {
    Subsystem subsystem = subsystems.remove(nqn);
    if (subsystem == null) {
      return CompletableFuture.completedFuture(null);
    }
    subsystem.close();
    discoveryChanged();
    return CompletableFuture.allOf(subsystem.namespaces().stream().map(Namespace::id).map(subsystem::removeNamespace)
        .toArray(CompletableFuture[]::new));
  }

  /** The subsystem of that name, or null. */
  public @Nullable Subsystem subsystem(String nqn) {
    return nqn.equals(Nqn.DISCOVERY) ? discovery : subsystems.get(nqn);
  }

  /** All subsystems but discovery, by name. */
  public List<Subsystem> subsystems() {
    return List.copyOf(subsystems.values());
  }

  /** Where it listens. */
  public List<Port> ports() {
    return List.copyOf(ports);
  }

  /**
   * Ends in order, for at most {@code limitNs}: takes no more commands and connections, answers those that it has, ends the I/O queues and
   * then the controllers, so that hosts go elsewhere; then {@link #close}. Listeners are closed by who opened them, before.
   */
  public CompletableFuture<Void> shutDown(long limitNs) {
    draining = true;
    return CompletableFuture.allOf(contexts.values().stream().map(context -> context.drain(limitNs))
        .toArray(CompletableFuture[]::new)).thenCompose(done -> close());
  }

  /**
   * Drops all hosts and gives all memory back. Completes, on some loop, when nothing of the target is left on any loop.
   * Listeners are closed by who opened them, before.
   */
  public CompletableFuture<Void> close() {
    closed = true;
    return CompletableFuture.allOf(contexts.values().stream().map(LoopContext::close)
        .toArray(CompletableFuture[]::new));
  }

  /** Whether any subsystem has a controller {@code id}. From any thread. */
  public boolean hasController(int id) {
    for (Subsystem subsystem : subsystems()) {
      if (subsystem.controller(id) != null) {
        return true;
      }
    }
    return false;
  }

  /** For transports: a number for a new port. */
  public int newPortId() {
    return nextPortId.getAndIncrement();
  }

  /** For transports: the target listens there now. */
  public void addPort(Port port) {
    ports.add(port);
    discoveryChanged();
  }

  /** For transports: it does no longer. */
  public void removePort(Port port) {
    ports.remove(port);
    discoveryChanged();
  }

  /** For transports: what the target has on {@code loop}; on that loop's thread. */
  public LoopContext on(Loop loop) {
    assert loop.inLoop();
    LoopContext context = contexts.computeIfAbsent(loop, l -> new LoopContext(this, l));
    if (draining) {
      context.enterNobody();
    }
    if (closed) {
      context.close();
    }
    return context;
  }

  /** For transports: there is one more connection; false when there are too many, and nothing has happened. */
  public boolean enterConnection() {
    if (connections.incrementAndGet() <= config.limits().connections()) {
      return true;
    }
    connections.decrementAndGet();
    return false;
  }

  /** For transports: a connection that was entered is gone. */
  public void leaveConnection() {
    connections.decrementAndGet();
  }

  /** There is one more controller; false when there are too many, and nothing has happened. */
  boolean enterController() {
    if (controllers.incrementAndGet() <= config.limits().controllers()) {
      return true;
    }
    controllers.decrementAndGet();
    return false;
  }

  void leaveController() {
    controllers.decrementAndGet();
  }

  long generation() {
    return generation.get();
  }

  /** What hosts may see has changed. */
  void discoveryChanged() {
    generation.incrementAndGet();
    discovery.tellDiscoveryChanged();
  }

  /** Has {@code claim} wait for the writes in its range that have begun on any loop. */
  void drainWrites(Namespace namespace, RangeClaim claim) {
    for (LoopContext context : contexts.values()) {
      claim.waitForOneMore();
      context.loop().execute(() -> context.drainWrites(namespace, claim));
    }
    claim.oneLess();
  }

  /** Has writes that wait for the gate of {@code namespace} try again, on every loop. */
  void resumeWrites(Namespace namespace) {
    for (LoopContext context : contexts.values()) {
      context.loop().execute(() -> context.resumeWrites(namespace));
    }
  }

  /** Completes when no loop uses {@code namespace}, which {@code subsystem} does not offer any more. */
  CompletableFuture<Void> released(Subsystem subsystem, Namespace namespace) {
    return CompletableFuture.allOf(contexts.values().stream().map(context -> context.release(subsystem, namespace))
        .toArray(CompletableFuture[]::new));
  }
}
