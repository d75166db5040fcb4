package io.remora.nvme.multipath;

import static io.remora.nvme.multipath.MultipathWorld.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.target.Port;
import io.remora.nvme.tcp.HostTcp;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Paths that discovery finds, adds and takes away. */
class PathDiscoveryTest {
  private static CompletableFuture<Set<InetSocketAddress>> find(MultipathWorld world, int... services) {
    List<InetSocketAddress> addresses = Arrays.stream(services).mapToObj(i -> world.node(i).address).toList();
    return PathDiscovery.find(new HostTcp(), world.loops.getFirst(), world.options.host(), addresses);
  }

  private static List<InetSocketAddress> addresses(MultipathWorld world) {
    return world.device().paths().stream().map(PathStatus::address).toList();
  }

  @Test
  void pathsFollowWhatTheTargetLists() {
    MultipathWorld world = new MultipathWorld(1, 3, 1);
    world.node(0).start();
    world.node(1).startAsPortOf(world.node(0));
    // The first service is not there.
    Set<InetSocketAddress> found = world.await(find(world, 2, 0));
    assertThat(found).containsExactlyInAnyOrder(world.node(0).address, world.node(1).address);
    MultipathDevice device = world.await(MultipathDevice.open(new HostTcp(), List.copyOf(world.loops), world.options,
        found));
    world.opened = device;
    PathDiscovery discovery = PathDiscovery.follow(new HostTcp(), device, found, List.of(world.node(0).address));
    world.sim.runFor(SECOND);
    world.node(2).startAsPortOf(world.node(0));
    world.sim.runUntil(() -> addresses(world).contains(world.node(2).address), SECOND);
    world.awaitState(2, PathState.LIVE);
    world.node(1).close();
    world.sim.runUntil(() -> !addresses(world).contains(world.node(1).address), SECOND);
    world.read(world.channel(), 20);
    // The connection to the discovery service is lost, and something changes meanwhile.
    world.node(0).partition();
    world.node(0).reset();
    world.node(2).close();
    world.sim.runFor(SECOND);
    assertThat(addresses(world)).contains(world.node(2).address);
    world.node(0).heal();
    world.sim.runUntil(() -> !addresses(world).contains(world.node(2).address), 20 * SECOND);
    assertThat(addresses(world)).containsExactly(world.node(0).address);
    world.sim.runFor(SECOND);
    world.await(discovery.close());
    world.close();
  }

  /** A service that lists a thousand ports gets as many paths as a device has, and the others have their turn. */
  @Test
  void moreThanADeviceTakesWait() {
    MultipathWorld world = new MultipathWorld(3, 1, 1);
    world.node(0).start();
    Set<InetSocketAddress> found = world.await(find(world, 0));
    MultipathDevice device = world.await(MultipathDevice.open(new HostTcp(), List.copyOf(world.loops), world.options,
        found));
    world.opened = device;
    PathDiscovery discovery = PathDiscovery.follow(new HostTcp(), device, found, List.of(world.node(0).address));
    world.sim.runFor(SECOND);
    List<Port> ports = IntStream.range(0, 1000).mapToObj(i -> Port.tcp(100 + i,
        new InetSocketAddress(world.node(0).address.getAddress(), 10_000 + i))).toList();
    ports.forEach(world.node(0).target::addPort);
    world.sim.runUntil(() -> device.paths().size() > 1, 10 * SECOND);
    world.sim.runFor(10 * SECOND);
    assertThat(device.paths()).hasSize(MultipathDevice.MAX_PATHS);
    assertThat(world.await(find(world, 0))).hasSize(MultipathDevice.MAX_PATHS);
    world.read(world.channel(), 20);
    ports.subList(0, 980).forEach(world.node(0).target::removePort);
    world.sim.runUntil(() -> device.paths().size() == 21, 10 * SECOND);
    assertThat(addresses(world)).contains(ports.getLast().address(), world.node(0).address);
    world.read(world.channel(), 20);
    world.await(discovery.close());
    world.close();
  }

  @Test
  void whatNobodyListsIsSaid() {
    MultipathWorld world = new MultipathWorld(2, 2, 1);
    world.node(0).start();
    world.node(0).subsystem.allowAnyHost(false);
    CompletableFuture<Set<InetSocketAddress>> found = find(world, 1, 0);
    world.sim.runUntil(found::isDone, 60 * SECOND);
    assertThatThrownBy(found::join).cause().isInstanceOf(RemoraException.class)
        .hasMessageContaining("no discovery service lists " + MultipathWorld.NQN)
        .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.NOT_FOUND);
  }

  @Test
  void entriesThatMakeNoSenseAreLeftOut() {
    List<DiscoveryEntry> entries = List.of(entry("10.0.0.1", "4420"), entry("storage.example", "4420"),
        entry("10.0.0.2", "0"), entry("10.0.0.3", "http"), entry("", ""), entry("10.0.0.4", "70000"),
        new DiscoveryEntry(DiscoveryEntry.Transport.RDMA, 1, DiscoveryEntry.Kind.NVM, 1, 0xffff, "10.0.0.5", "4420",
            MultipathWorld.NQN),
        new DiscoveryEntry(DiscoveryEntry.Transport.TCP, 1, DiscoveryEntry.Kind.REFERRAL, 1, 0xffff, "10.0.0.6", "4420",
            MultipathWorld.NQN));
    assertThat(PathDiscovery.ports(entries, DiscoveryEntry.Transport.TCP, MultipathWorld.NQN))
        .containsExactly(new InetSocketAddress(InetAddress.ofLiteral("10.0.0.1"), 4420));
  }

  private static DiscoveryEntry entry(String address, String service) {
    return new DiscoveryEntry(DiscoveryEntry.Transport.TCP, 1, DiscoveryEntry.Kind.NVM, 1, 0xffff, address, service,
        MultipathWorld.NQN);
  }
}
