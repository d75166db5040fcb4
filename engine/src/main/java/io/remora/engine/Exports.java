package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.nvme.target.KeptProtection;
import io.remora.nvme.target.Namespace;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the node offers to hosts, and where. Knows nothing of what is remembered over a restart. Belongs to the node's control
 * loop.
 */
final class Exports {
  private static final Logger LOG = LoggerFactory.getLogger(Exports.class);

  /**
   * A volume to offer.
   *
   * @param volume its identity
   * @param nqn under which name
   * @param address where; null: where the node listens
   * @param hosts to whom; empty: to any host
   * @param device the volume itself
   * @param protection whether hosts may write it
   */
  record Offer(UUID volume, String nqn, @Nullable InetSocketAddress address, List<String> hosts, BlockDevice device,
      KeptProtection protection) {}

  private final List<Loop> loops;
  private final TargetConfig config;
  private final Rdma rdma;
  private final Map<InetSocketAddress, Portal> portals = new HashMap<>();
  private final Map<String, Offer> offers = new HashMap<>();
  private final Portal own;

  private Exports(List<Loop> loops, TargetConfig config, Rdma rdma, Portal own) {
    this.loops = loops;
    this.config = config;
    this.rdma = rdma;
    this.own = own;
  }

  /**
   * Listens at {@code listen} with {@code offers} in place. An offer elsewhere that cannot be made is logged and left out: the others
   * must not suffer for it.
   */
  static CompletableFuture<Exports> open(List<Loop> loops, InetSocketAddress listen, TargetConfig config, Rdma rdma,
      List<Offer> offers) {
    List<Offer> here = offers.stream().filter(offer -> offer.address == null || offer.address.equals(listen)).toList();
    List<Offer> elsewhere = offers.stream().filter(offer -> !here.contains(offer)).toList();
    return Portal.open(loops, listen, config, rdma, target -> here.forEach(offer -> put(target, offer)))
        .thenCompose(portal -> {
          Exports exports = new Exports(loops, config, rdma, portal);
          here.forEach(offer -> exports.offers.put(offer.nqn, offer));
          List<CompletableFuture<?>> others = new ArrayList<>();
          for (Offer offer : elsewhere) {
            others.add(exports.add(offer).exceptionally(failure -> {
              LOG.error("{} is not published: {}", offer.device.name(), Causes.of(failure).getMessage());
              return null;
            }));
          }
          return CompletableFuture.allOf(others.toArray(CompletableFuture[]::new)).thenApply(all -> exports);
        });
  }

  /** Where the node listens for TCP. */
  List<InetSocketAddress> listeners() {
    List<InetSocketAddress> all = new ArrayList<>();
    all.add(own.address());
    portals.values().forEach(portal -> all.add(portal.address()));
    return all;
  }

  /** What has become of RDMA, everywhere. */
  RdmaInfo rdma() {
    List<RdmaAddress> addresses = new ArrayList<>();
    Set<String> warnings = new LinkedHashSet<>();
    Stream.concat(Stream.of(own), portals.values().stream()).map(Portal::rdma).forEach(port -> {
      RdmaAddress address = port.address();
      if (address != null) {
        addresses.add(address);
      }
      String warning = port.warning();
      if (warning != null) {
        warnings.add(warning);
      }
    });
    return new RdmaInfo(rdma.transport(), addresses, List.copyOf(warnings), own.rdma().passedOver());
  }

  /** Offers a volume; opens the portal first when it is the first one there. */
  CompletableFuture<Void> add(Offer offer) {
    if (offers.containsKey(offer.nqn)) {
      return CompletableFuture.failedFuture(new RemoraException(Status.EXISTS, offer.nqn + " is offered already"));
    }
    Portal known = portal(offer.address);
    if (known != null) {
      put(known.target(), offer);
      offers.put(offer.nqn, offer);
      return CompletableFuture.completedFuture(null);
    }
    InetSocketAddress address = java.util.Objects.requireNonNull(offer.address);
    return Portal.open(loops, address, config, rdma, target -> put(target, offer)).thenAccept(portal -> {
      portals.put(address, portal);
      offers.put(offer.nqn, offer);
    });
  }

  /** Changes to whom a volume is offered. */
  void allow(String nqn, List<String> hosts) {
    Offer offer = offers.get(nqn);
    Subsystem subsystem = offer == null ? null : subsystem(offer);
    if (offer != null && subsystem != null) {
      Portal.allow(subsystem, hosts);
      offers.put(nqn, new Offer(offer.volume, nqn, offer.address, hosts, offer.device, offer.protection));
    }
  }

  /** Withdraws an offer and closes its portal when it was the last one there; done when the device is not in use by it any more. */
  CompletableFuture<Void> remove(String nqn) {
    Offer offer = offers.remove(nqn);
    Portal portal = offer == null ? null : portal(offer.address);
    if (offer == null || portal == null) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> withdrawn = portal.withdraw(nqn);
    InetSocketAddress address = offer.address;
    boolean last = portal != own && offers.values().stream().noneMatch(other -> portal == portal(other.address));
    if (address == null || !last) {
      return withdrawn;
    }
    portals.remove(address);
    return withdrawn.thenCompose(done -> portal.close());
  }

  /** Where a program on this machine reaches what is offered at the node's own address. */
  InetSocketAddress localAddress() {
    InetSocketAddress address = own.address();
    if (!address.getAddress().isAnyLocalAddress()) {
      return address;
    }
    String loopback = address.getAddress().getAddress().length == 4 ? "127.0.0.1" : "::1";
    return new InetSocketAddress(InetAddress.ofLiteral(loopback), address.getPort());
  }

  /** Whether anything offers that volume. */
  boolean offered(UUID volume) {
    return offers.values().stream().anyMatch(offer -> offer.volume.equals(volume));
  }

  /** How an offer is doing; null when there is none of that name. */
  @Nullable
  PublicationInfo info(String nqn) {
    Offer offer = offers.get(nqn);
    Portal portal = offer == null ? null : portal(offer.address);
    Subsystem subsystem = offer == null ? null : subsystem(offer);
    return offer == null || portal == null || subsystem == null
        ? null
        : new PublicationInfo(nqn, "tcp", portal.address(), portal.rdma().address(), offer.hosts,
            subsystem.connections().size(),
            subsystem.namespaces().stream().anyMatch(Namespace::writeProtected));
  }

  /** Takes no more connections anywhere. */
  void stopListening() {
    own.stopListening();
    portals.values().forEach(Portal::stopListening);
  }

  /** Drops all hosts; done, on the control loop, when no device is in use any more. */
  CompletableFuture<Void> close() {
    List<CompletableFuture<Void>> all = new ArrayList<>(portals.values().stream().map(Portal::close).toList());
    all.add(own.close());
    offers.clear();
    portals.clear();
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).thenRunAsync(() -> {}, loops.getFirst());
  }

  @Override
  public String toString() {
    return "exports at " + Addresses.format(own.address());
  }

  private static void put(Target target, Offer offer) {
    Portal.offer(target, offer);
  }

  private @Nullable Portal portal(@Nullable InetSocketAddress address) {
    return address == null || address.equals(own.address()) ? own : portals.get(address);
  }

  private @Nullable Subsystem subsystem(Offer offer) {
    Portal portal = portal(offer.address);
    return portal == null ? null : portal.target().subsystem(offer.nqn);
  }
}
