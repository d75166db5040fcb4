package io.remora.engine;

import static io.remora.engine.NodeWorld.MIB;
import static io.remora.engine.NodeWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostController;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.provider.RdmaPolicy.Transport;
import io.remora.verbs.sim.SimFabric;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A node that does RDMA beside TCP as its policy says, on a simulated fabric. */
class NodeRdmaSim {
  private static final String NQN = Names.nqn(uuid(1));
  private static final Provider CARD = new AbsentProvider("card", "no card in any slot: buy one");
  private static final Provider MEMORY = new AbsentProvider("memory", "not compiled in");

  /** The simulated fabric under a name by which the node puts its ports beside TCP's. */
  private record Iwarp(Provider fabric) implements Provider {
    @Override
    public String name() {
      return fabric.name();
    }

    @Override
    public @Nullable String unavailable() {
      return null;
    }

    @Override
    public List<DeviceInfo> devices() {
      return List.of(new DeviceInfo(name(), "sim0", "iWARP", null, List.of(), null));
    }

    @Override
    public Context open(Loop loop, String device) {
      return fabric.open(loop, device);
    }
  }

  private final SimFabric fabric = new SimFabric();

  private NodeWorld world(Transport transport, Provider... providers) {
    List<String> names = Stream.of(providers).map(Provider::name).toList();
    return new NodeWorld(Long.getLong("seed", 1), new RdmaPolicy(true, "", names, transport), fabric,
        List.of(providers));
  }

  private NodeWorld started(Transport transport) {
    NodeWorld world = world(transport, CARD, fabric.provider());
    world.start();
    return world;
  }

  private static PublicationInfo publication(VolumeInfo volume) {
    return java.util.Objects.requireNonNull(volume.publication());
  }

  @ParameterizedTest
  @EnumSource(names = {"PREFER_RDMA", "REQUIRE_RDMA"})
  void hostsOfBothFabricsShareAVolume(Transport transport) {
    NodeWorld world = started(transport);
    RdmaAddress address = new RdmaAddress("sim", "sim0", "simulated", world.address());
    assertThat(world.rdma()).isEqualTo(new RdmaInfo(transport.text(), List.of(address), List.of(),
        List.of("card: no card in any slot: buy one")));
    PublicationInfo published = world.publish(null);
    assertThat(published.rdma()).isEqualTo(address);
    assertThat(published.address()).isEqualTo(world.address());
    HostController tcp = world.await(world.connect(NQN, world.address(), ""));
    HostController rdma = world.await(world.connectByRdma(NQN, address.address(), ""));
    byte[] data = pattern(200_704, 1);
    assertThat(world.io(world.device(tcp), Op.WRITE, MIB, data)).isEqualTo(Status.OK);
    assertThat(read(world, rdma, MIB, data.length)).isEqualTo(data);
    byte[] other = pattern(4096, 2);
    assertThat(world.io(world.device(rdma), Op.WRITE, MIB, other)).isEqualTo(Status.OK);
    assertThat(read(world, tcp, MIB, 4096)).isEqualTo(other);
    assertThat(world.loop().call(() -> publication(world.node().volumes().getFirst()).connectedHosts())).isEqualTo(2);
    world.await(tcp.close());
    world.await(rdma.close());
  }

  @Test
  void theDiscoveryLogTellsBothPorts() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    world.publish(null);
    assertThat(world.discovered(NQN)).containsExactlyInAnyOrder(DiscoveryEntry.Transport.TCP,
        DiscoveryEntry.Transport.RDMA);
  }

  @Test
  void completedWritesAreThereAfterAKillAndTheHostGoesOn() {
    NodeWorld world = started(Transport.REQUIRE_RDMA);
    HostController host = world.await(world.connectByRdma(NQN, rdmaOf(world.publish(null)), ""));
    byte[] data = pattern(64 << 10, 3);
    assertThat(world.io(world.device(host), Op.WRITE, MIB, data)).isEqualTo(Status.OK);
    world.restart();
    assertThat(read(world, host, MIB, data.length)).isEqualTo(data);
    assertThat(world.io(world.device(host), Op.WRITE, 2 * MIB, data)).isEqualTo(Status.OK);
  }

  @Test
  void stopsInOrder() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    HostController host = world.await(world.connectByRdma(NQN, rdmaOf(world.publish(null)), ""));
    byte[] data = pattern(64 << 10, 4);
    assertThat(world.io(world.device(host), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    world.await(world.loop().call(() -> world.node().close()));
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, world.address(), "")))
        .isInstanceOf(RemoraException.class);
    // Nothing was flushed by the host: the node itself has made it durable.
    world.machine.powerLoss();
    world.start();
    assertThat(read(world, host, 0, data.length)).isEqualTo(data);
  }

  @Test
  void aVolumePublishedElsewhereHasItsRdmaThere() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    InetSocketAddress elsewhere = new InetSocketAddress(world.machine.address(), 5000);
    PublicationInfo published = world.publish(elsewhere);
    assertThat(rdmaOf(published)).isEqualTo(elsewhere);
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, world.address(), "")))
        .isInstanceOf(RemoraException.class);
    world.await(world.await(world.connectByRdma(NQN, elsewhere, "")).close());
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::address).containsExactly(world.address(), elsewhere);
    world.call(() -> world.node().unpublishVolume("data"));
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::address).containsExactly(world.address());
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, elsewhere, ""))).isInstanceOf(RemoraException.class);
  }

  @Test
  void portsThatAreTcpsAreTheNextOnesAndAnAddressThatIsSaidHolds() {
    NodeWorld world = world(Transport.PREFER_RDMA, new Iwarp(fabric.provider()));
    world.start();
    assertThat(rdmaOf(world.publish(null))).isEqualTo(new InetSocketAddress(world.machine.address(), 4421));
    world.machine.kill();
    InetSocketAddress said = new InetSocketAddress(world.machine.address(), 7000);
    world.start(said);
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::address).containsExactly(said);
    world.await(world.await(world.connectByRdma(NQN, said, "")).close());
  }

  @Test
  void withoutADeviceTcpServesAndTheStatusSaysWhy() {
    NodeWorld world = world(Transport.PREFER_RDMA, CARD, MEMORY);
    world.start();
    RdmaInfo info = world.rdma();
    assertThat(info.addresses()).isEmpty();
    assertThat(info.warnings()).singleElement().asString().contains("card: no card in any slot: buy one")
        .contains("memory: not compiled in").contains("TCP").contains("remora rdma devices");
    assertThat(world.publish(null).rdma()).isNull();
    world.await(world.await(world.connect(NQN, world.address(), "")).close());
    world.restart();
    assertThat(world.rdma().addresses()).isEmpty();
    assertThat(world.rdma().warnings()).singleElement().asString().contains("card: no card in any slot: buy one");
  }

  @Test
  void whatIsRequiredAndNotThereKeepsTheNodeFromStarting() {
    NodeWorld world = world(Transport.REQUIRE_RDMA, CARD, MEMORY);
    assertThatThrownBy(world::start)
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED))
        .hasMessageContaining("card: no card in any slot: buy one").hasMessageContaining("memory: not compiled in")
        .hasMessageContaining("require-rdma");
    startsWithTcpOnly(world);
  }

  @Test
  void anRdmaAddressThatCannotBeHadIsAWarning() {
    NodeWorld world = world(Transport.PREFER_RDMA, fabric.provider());
    world.occupy(world.address());
    world.start();
    assertThat(world.rdma().addresses()).isEmpty();
    assertThat(world.rdma().warnings()).singleElement().asString().contains("in use").contains("sim sim0")
        .contains("--rdma-listen");
    assertThat(world.publish(null).rdma()).isNull();
    world.await(world.await(world.connect(NQN, world.address(), "")).close());
  }

  @Test
  void anRdmaAddressThatIsRequiredAndCannotBeHadIsTheEnd() {
    NodeWorld world = world(Transport.REQUIRE_RDMA, fabric.provider());
    world.occupy(world.address());
    assertThatThrownBy(world::start)
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.EXISTS))
        .hasMessageContaining("in use").hasMessageContaining("--rdma-listen").hasMessageContaining("require-rdma");
    startsWithTcpOnly(world);
  }

  /** That a refused start has left neither the folder nor the address taken: in the same process. */
  private static void startsWithTcpOnly(NodeWorld world) {
    List<Loop> loops = List.copyOf(world.machine.loops());
    CompletableFuture<Node> opening = Node.open(loops, Node.Config.of(NodeWorld.FOLDER, world.address()));
    Node node = world.await(opening);
    assertThat(world.loop().call(() -> node.info().rdma()))
        .isEqualTo(new RdmaInfo("tcp", List.of(), List.of(), List.of("rdma.enabled is false")));
  }

  private static InetSocketAddress rdmaOf(PublicationInfo publication) {
    return java.util.Objects.requireNonNull(publication.rdma()).address();
  }

  private static byte[] read(NodeWorld world, HostController host, long offset, int length) {
    byte[] data = new byte[length];
    assertThat(world.io(world.device(host), Op.READ, offset, data)).isEqualTo(Status.OK);
    return data;
  }

  private static byte[] pattern(int length, int seed) {
    byte[] data = new byte[length];
    for (int i = 0; i < length; i++) {
      data[i] = (byte) (i * 31 + i / 251 + seed * 77 + 1);
    }
    return data;
  }
}
