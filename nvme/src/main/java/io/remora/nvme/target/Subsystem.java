package io.remora.nvme.target;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.nvme.AnaState;
import io.remora.nvme.Nqn;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What is offered to hosts under one NQN: namespaces, and which hosts may connect. From any thread; everything may change while
 * hosts are connected, and they are told.
 *
 * <p>Invariant: what loops use is one immutable {@link View}, replaced as a whole; a change is published first and then told to
 * the controllers.
 */
public final class Subsystem {
  /** Names the target's own answer to "which controllers": all identifiers that the specification permits. */
  private static final int MAX_CONTROLLER_ID = 0xFFEF;

  /**
   * What does not change about a subsystem.
   *
   * @param nqn its name
   * @param serial up to 20 printable ASCII characters; the same on all nodes that offer the subsystem
   * @param model up to 40 printable ASCII characters
   * @param minControllerId the first controller identifier to give, at least 1; nodes that offer the same subsystem use
   *     ranges that do not overlap
   * @param maxControllerId the last one, at most 0xFFEF
   */
  public record Config(String nqn, String serial, String model, int minControllerId, int maxControllerId) {
    /** Checks the fields. */
    public Config {
      Nqn.check(nqn);
      Check.argument(!nqn.equals(Nqn.DISCOVERY), "%s is the discovery subsystem's name", nqn);
      Check.argument(printable(serial, 20), "serial '%s': 1 to 20 printable ASCII characters", serial);
      Check.argument(printable(model, 40), "model '%s': 1 to 40 printable ASCII characters", model);
      Check.argument(
          minControllerId >= 1 && minControllerId <= maxControllerId && maxControllerId <= MAX_CONTROLLER_ID,
          "controller identifiers %d to %d: within 1 to %d", minControllerId, maxControllerId, MAX_CONTROLLER_ID);
    }

    /** A subsystem whose serial number follows from its name. */
    public static Config of(String nqn) {
      return new Config(nqn, "%08x%08x".formatted(nqn.hashCode(), ("remora " + nqn).hashCode()), "Remora", 1,
          MAX_CONTROLLER_ID);
    }

    private static boolean printable(String text, int max) {
      return !text.isEmpty() && text.length() <= max && text.chars().allMatch(c -> c >= ' ' && c < 0x7f);
    }
  }

  /** Everything that can change, at one moment. */
  record View(TreeMap<Integer, Namespace> namespaces, boolean anyHost, Set<String> hosts, AnaState ana, long anaChanges,
      boolean removed) {
    boolean allows(String hostNqn) {
      return !removed && (anyHost || hosts.contains(hostNqn));
    }

    View withNamespaces(TreeMap<Integer, Namespace> now) {
      return new View(now, anyHost, hosts, ana, anaChanges, removed);
    }

    View withHosts(boolean any, Set<String> now) {
      return new View(namespaces, any, now, ana, anaChanges, removed);
    }
  }

  private final Target target;
  private final Config config;
  private final boolean discovery;
  private volatile View view;
  private final ConcurrentHashMap<Integer, Controller> controllers = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, BlockDevice.Listener> listeners = new ConcurrentHashMap<>();
  private int nextControllerId;

  Subsystem(Target target, Config config, boolean discovery) {
    this.target = target;
    this.config = config;
    this.discovery = discovery;
    this.nextControllerId = config.minControllerId();
    this.view = new View(new TreeMap<>(), discovery, Set.of(), AnaState.OPTIMIZED, 0, false);
  }

  /** Its name. */
  public String nqn() {
    return discovery ? Nqn.DISCOVERY : config.nqn();
  }

  /** What does not change about it. */
  public Config config() {
    return config;
  }

  /** Its namespaces, by number. */
  public List<Namespace> namespaces() {
    return List.copyOf(now().namespaces.values());
  }

  /** As {@link #addNamespace(int, BlockDevice, KeptProtection)}; what hosts protect ends with the process. */
  public Namespace addNamespace(int id, BlockDevice device) {
    return addNamespace(id, device, KeptProtection.NONE);
  }

  /**
   * Offers {@code device} under {@code id}, to connected hosts too. The device stays its owner's, who may close it once
   * {@link #removeNamespace} has completed.
   *
   * @throws RemoraException {@link Status#EXISTS} when the number is taken, {@link Status#INVALID} when it or the device's
   *     block size is out of range
   */
  public Namespace addNamespace(int id, BlockDevice device, KeptProtection protection) {
    Namespace namespace = new Namespace(id, device, protection);
    change(v -> {
      if (v.namespaces.containsKey(id)) {
        throw new RemoraException(Status.EXISTS, nqn() + " has a namespace " + id + " already");
      }
      TreeMap<Integer, Namespace> map = new TreeMap<>(v.namespaces);
      map.put(id, namespace);
      return v.withNamespaces(map);
    });
    BlockDevice.Listener listener = new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice resized) {
        tellNamespaceChanged(id);
      }

      @Override
      public void onRemoved(BlockDevice removed, Status reason) {
        removeNamespace(id);
      }
    };
    listeners.put(id, listener);
    device.addListener(listener);
    tellNamespaceChanged(id);
    return namespace;
  }

  /**
   * Withdraws a namespace; hosts that use it get errors. Completes, on some loop, when no loop uses the device any more; at once when
   * there is no such namespace.
   */
  public CompletableFuture<Void> removeNamespace(int id) {
    Namespace[] gone = new Namespace[1];
    change(v -> {
      TreeMap<Integer, Namespace> map = new TreeMap<>(v.namespaces);
      gone[0] = map.remove(id);
      return v.withNamespaces(map);
    });
    Namespace namespace = gone[0];
    if (namespace == null) {
      return CompletableFuture.completedFuture(null);
    }
    BlockDevice.Listener listener = listeners.remove(id);
    if (listener != null) {
      namespace.device().removeListener(listener);
    }
    CompletableFuture<Void> released = target.released(this, namespace);
    tellNamespaceChanged(id);
    return released;
  }

  /** Whether any host may connect; else those that were {@linkplain #allowHost allowed}. A new subsystem admits nobody. */
  public void allowAnyHost(boolean any) {
    change(v -> v.withHosts(any, v.hosts));
    dropHostsNotAllowed();
    target.discoveryChanged();
  }

  /** Lets a host connect. */
  public void allowHost(String hostNqn) {
    Nqn.check(hostNqn);
    change(v -> {
      Set<String> hosts = new TreeSet<>(v.hosts);
      hosts.add(hostNqn);
      return v.withHosts(v.anyHost, hosts);
    });
    target.discoveryChanged();
  }

  /** Takes a host's permission away and drops its connections, unless any host may connect. */
  public void denyHost(String hostNqn) {
    change(v -> {
      Set<String> hosts = new TreeSet<>(v.hosts);
      hosts.remove(hostNqn);
      return v.withHosts(v.anyHost, hosts);
    });
    dropHostsNotAllowed();
    target.discoveryChanged();
  }

  /** Whether any host may connect. */
  public boolean anyHostAllowed() {
    return now().anyHost;
  }

  /** The hosts that were allowed by name. */
  public Set<String> allowedHosts() {
    return Set.copyOf(now().hosts);
  }

  /** Says how well this target reaches the namespaces; hosts with several paths act on it. */
  public void ana(AnaState state) {
    change(v -> v.ana == state
        ? v
        : new View(v.namespaces, v.anyHost, v.hosts, state, v.anaChanges + 1, v.removed));
    for (Controller controller : controllers.values()) {
      controller.post(controller::anaChanged);
    }
  }

  /** Who is connected, by controller identifier. */
  public List<HostConnection> connections() {
    List<HostConnection> all = new ArrayList<>();
    controllers.forEach((id, controller) -> all.add(controller.describe(id)));
    return all;
  }

  View now() {
    return view;
  }

  boolean isDiscovery() {
    return discovery;
  }

  Target target() {
    return target;
  }

  @Nullable
  Controller controller(int id) {
    return controllers.get(id);
  }

  /**
   * Enters a controller under an identifier that nobody has; 0 when all are taken, or there are too many. Identifiers are given in turn,
   * so that one is not used again soon.
   */
  synchronized int enter(Controller controller) {
    long sameHost = controllers.values().stream().filter(each -> each.hostNqn().equals(controller.hostNqn())).count();
    if (sameHost >= target.config().limits().controllersPerHost() || !target.enterController()) {
      return 0;
    }
    int count = config.maxControllerId() - config.minControllerId() + 1;
    for (int i = 0; i < count; i++) {
      int id = nextControllerId;
      nextControllerId = id == config.maxControllerId() ? config.minControllerId() : id + 1;
      if (controllers.putIfAbsent(id, controller) == null) {
        return id;
      }
    }
    target.leaveController();
    return 0;
  }

  /** The identifiers of all controllers that can still do something, in order. */
  NavigableSet<Integer> controllerIds() {
    return new TreeSet<>(controllers.keySet());
  }

  void leave(int id, Controller controller) {
    if (controllers.remove(id, controller)) {
      target.leaveController();
    }
  }

  /** Admits nobody any more and drops who is there. */
  void close() {
    change(v -> new View(v.namespaces, false, Set.of(), v.ana, v.anaChanges, true));
    dropHostsNotAllowed();
  }

  /** For the discovery subsystem: its log page is another now. */
  void tellDiscoveryChanged() {
    for (Controller controller : controllers.values()) {
      controller.post(controller::discoveryChanged);
    }
  }

  private synchronized void change(UnaryOperator<View> how) {
    view = how.apply(view);
  }

  private void dropHostsNotAllowed() {
    for (Controller controller : controllers.values()) {
      if (!now().allows(controller.hostNqn())) {
        controller.post(() -> controller.terminate("host " + controller.hostNqn() + " is not allowed any more"));
      }
    }
  }

  void tellNamespaceChanged(int id) {
    for (Controller controller : controllers.values()) {
      controller.post(() -> controller.namespaceChanged(id));
    }
  }
}
