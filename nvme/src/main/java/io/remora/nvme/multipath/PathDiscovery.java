package io.remora.nvme.multipath;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.DiscoveryClient;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.DiscoveryWatch;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostTransport;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * Keeps the paths of a device as discovery services say: all ports of its subsystem, over its transport, that any of them lists, as far as the device
 * takes them ({@link MultipathDevice#MAX_PATHS}; the others have their turn when one of these goes). Paths that nobody lists any more are taken
 * out of use, those that somebody added by hand are left alone. Belongs to the device's first loop.
 */
public final class PathDiscovery {
  private static final System.Logger LOG = System.getLogger(PathDiscovery.class.getName());

  private final MultipathDevice device;
  private final DiscoveryEntry.Transport transport;
  private final String subsystemNqn;
  private final Map<InetSocketAddress, Set<InetSocketAddress>> said = new LinkedHashMap<>();
  private final Set<InetSocketAddress> mine = new LinkedHashSet<>();
  /** There are more than the device takes, and it has been said. */
  private boolean over;
  private final List<DiscoveryWatch> watches = new ArrayList<>();

  private PathDiscovery(MultipathDevice device) {
    this.device = device;
    this.transport = device.transport().type();
    this.subsystemNqn = device.options().host().subsystemNqn();
  }

  /**
   * Asks discovery services, one after the other, for all ports of the subsystem in {@code options}, until one knows it. The future is done
   * on {@code loop}, with as many as a device takes; it fails with what the last one said, or with {@link Status#NOT_FOUND}.
   */
  public static CompletableFuture<Set<InetSocketAddress>> find(HostTransport transport, Loop loop, HostOptions options,
      Collection<InetSocketAddress> services) {
    return find(transport, loop, options, List.copyOf(services), 0);
  }

  private static CompletableFuture<Set<InetSocketAddress>> find(HostTransport transport, Loop loop, HostOptions options,
      List<InetSocketAddress> services, int index) {
    boolean last = index == services.size() - 1;
    return DiscoveryClient.read(transport, loop, options.withAddress(services.get(index))).handle((entries, e) -> {
      Set<InetSocketAddress> found = e == null ? ports(entries, transport.type(), options.subsystemNqn()) : Set.of();
      if (!found.isEmpty()) {
        return CompletableFuture.completedFuture(first(found, options.subsystemNqn()));
      }
      if (!last) {
        return find(transport, loop, options, services, index + 1);
      }
      return CompletableFuture.<Set<InetSocketAddress>>failedFuture(e != null
          ? e
          : new RemoraException(Status.NOT_FOUND, "no discovery service lists " + options.subsystemNqn()
              + " for this host; 'remora discover' shows what they list"));
    }).thenCompose(result -> result);
  }

  private static Set<InetSocketAddress> first(Set<InetSocketAddress> found, String subsystemNqn) {
    if (found.size() <= MultipathDevice.MAX_PATHS) {
      return found;
    }
    warn(found.size(), subsystemNqn);
    return found.stream().limit(MultipathDevice.MAX_PATHS).collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static void warn(int count, String subsystemNqn) {
    LOG.log(System.Logger.Level.WARNING,
        () -> "discovery lists " + count + " ports of " + subsystemNqn + "; a device has "
            + MultipathDevice.MAX_PATHS + " paths at most, the others are not used");
  }

  /** The ports of a subsystem. Entries that make no sense are left out. */
  static Set<InetSocketAddress> ports(List<DiscoveryEntry> entries, DiscoveryEntry.Transport transport,
      String subsystemNqn) {
    Set<InetSocketAddress> ports = new LinkedHashSet<>();
    for (DiscoveryEntry entry : entries) {
      if (entry.kind() == DiscoveryEntry.Kind.NVM && entry.transport() == transport
          && entry.subsystemNqn().equals(subsystemNqn)) {
        entry.socketAddress().ifPresent(ports::add);
      }
    }
    return ports;
  }

  /**
   * Follows what {@code services} say from now on.
   *
   * @param found the paths of {@code device} that came from discovery, and go when nobody lists them any more
   */
  public static PathDiscovery follow(HostTransport transport, MultipathDevice device, Set<InetSocketAddress> found,
      Collection<InetSocketAddress> services) {
    PathDiscovery discovery = new PathDiscovery(device);
    Loop loop = device.loop();
    HostOptions options = device.hostOptions();
    loop.execute(() -> {
      discovery.mine.addAll(found);
      for (InetSocketAddress service : services) {
        discovery.said.put(service, found);
        discovery.watches.add(DiscoveryWatch.start(transport, loop, options.withAddress(service),
            entries -> discovery.take(service, entries)));
      }
    });
    return discovery;
  }

  private void take(InetSocketAddress service, List<DiscoveryEntry> entries) {
    said.put(service, ports(entries, transport, subsystemNqn));
    Set<InetSocketAddress> wanted = wanted();
    for (InetSocketAddress gone : mine.stream().filter(each -> !wanted.contains(each)).toList()) {
      mine.remove(gone);
      device.removePath(gone).thenRun(this::fill);
    }
    fill();
  }

  private Set<InetSocketAddress> wanted() {
    Set<InetSocketAddress> wanted = new LinkedHashSet<>();
    said.values().forEach(wanted::addAll);
    return wanted;
  }

  /** Adds what is listed and not used yet. */
  private void fill() {
    Set<InetSocketAddress> more = wanted();
    more.removeAll(mine);
    for (InetSocketAddress come : more) {
      if (device.full()) {
        if (!over) {
          over = true;
          warn(wanted().size(), subsystemNqn);
        }
        return;
      }
      mine.add(come);
      // Whether it could be connected, the path's status says.
      device.addNow(come);
    }
    over = false;
  }

  /** Follows no more; the paths stay. The future is done when all connections to discovery services are closed. */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    device.loop().execute(() -> CompletableFuture
        .allOf(watches.stream().map(DiscoveryWatch::close).toArray(CompletableFuture[]::new))
        .whenComplete((v, e) -> done.complete(null)));
    return done;
  }
}
