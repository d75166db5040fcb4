package io.remora.engine;

import static io.remora.engine.NodeWorld.SECOND;
import static io.remora.engine.NodeWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostState;
import io.remora.verbs.CmListener;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.provider.RdmaPolicy.Transport;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.sim.SimProvider;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A node whose RDMA cannot be had at first, or is lost later: it serves TCP, says so, and has RDMA again by itself. */
class NodeRdmaRetrySim {
  private static final String NQN = Names.nqn(uuid(1));
  /** More than the longest time between two attempts. */
  private static final long PATIENCE = 61 * SECOND;

  private final SimFabric fabric = new SimFabric();
  private final SimProvider card = fabric.newProvider("sim");

  private NodeWorld world(Transport transport, Provider... providers) {
    List<String> names = Stream.of(providers).map(Provider::name).toList();
    return new NodeWorld(Long.getLong("seed", 1), new RdmaPolicy(true, "", names, transport), fabric,
        List.of(providers));
  }

  private NodeWorld started(Transport transport) {
    NodeWorld world = world(transport, card);
    world.start();
    return world;
  }

  private static List<InetSocketAddress> addresses(NodeWorld world) {
    return world.rdma().addresses().stream().map(RdmaAddress::address).toList();
  }

  private static void runUntilBack(NodeWorld world) {
    world.sim.runUntil(() -> world.rdma().warnings().isEmpty(), PATIENCE);
  }

  private void takeOut(NodeWorld world) {
    card.removeDevice();
    world.sim.runUntil(() -> world.rdma().addresses().isEmpty(), SECOND);
  }

  @Test
  void anAddressThatIsTakenIsHadWhenItIsFree() {
    NodeWorld world = world(Transport.PREFER_RDMA, card);
    CmListener other = world.occupy(world.address());
    world.start();
    long registered = world.registered.usedBytes();
    world.sim.runFor(10 * PATIENCE);
    assertThat(world.rdma().warnings()).singleElement().asString().contains("in use").contains("--rdma-listen")
        .contains("since").contains("tried again");
    assertThat(world.registered.usedBytes()).as("attempts leave nothing").isEqualTo(registered);
    world.hostLoop.run(other::close);
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address());
    world.publish(null);
    world.await(world.await(world.connectByRdma(NQN, world.address(), "")).close());
  }

  @Test
  void aDeviceThatComesLaterIsUsed() {
    card.removeDevice();
    NodeWorld world = started(Transport.PREFER_RDMA);
    assertThat(world.rdma().warnings()).singleElement().asString().contains("sim: no devices");
    world.sim.runFor(PATIENCE);
    assertThat(world.rdma().addresses()).isEmpty();
    card.insertDevice();
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address());
    assertThat(world.rdma().passedOver()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"PREFER_RDMA", "REQUIRE_RDMA"})
  void aDeviceThatIsLostIsUsedAgainWhenItIsBack(Transport transport) {
    NodeWorld world = started(transport);
    world.publish(null);
    assertThat(world.discovered(NQN)).containsExactlyInAnyOrder(DiscoveryEntry.Transport.TCP,
        DiscoveryEntry.Transport.RDMA);
    HostController rdma = world.await(world.connectByRdma(NQN, world.address(), ""));
    byte[] data = new byte[128 << 10];
    java.util.Arrays.fill(data, (byte) 7);
    assertThat(world.io(world.device(rdma), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    long registered = world.registered.usedBytes();
    for (int round = 0; round < 3; round++) {
      takeOut(world);
      assertThat(world.rdma().addresses()).isEmpty();
      assertThat(world.rdma().warnings()).singleElement().asString().contains("taken out").contains("sim sim0")
          .contains("over TCP").contains("since");
      assertThat(world.discovered(NQN)).containsExactly(DiscoveryEntry.Transport.TCP);
      HostController tcp = world.await(world.connect(NQN, world.address(), ""));
      byte[] read = new byte[data.length];
      assertThat(world.io(world.device(tcp), Op.READ, 0, read)).isEqualTo(Status.OK);
      assertThat(read).isEqualTo(data);
      world.await(tcp.close());
      world.sim.runFor(2 * PATIENCE);
      assertThat(world.registered.usedBytes()).as("what is registered without a device").isZero();
      card.insertDevice();
      runUntilBack(world);
      assertThat(addresses(world)).containsExactly(world.address());
      world.sim.runUntil(() -> rdma.status().state() == HostState.LIVE, PATIENCE);
      assertThat(world.io(world.device(rdma), Op.READ, 0, read)).isEqualTo(Status.OK);
      assertThat(read).isEqualTo(data);
      assertThat(world.registered.usedBytes()).isEqualTo(registered);
    }
  }

  @Test
  void anotherProviderIsNotTakenWhileTheChosenOneHasNoDevice() {
    SimProvider other = fabric.newProvider("other");
    other.removeDevice();
    NodeWorld world = world(Transport.PREFER_RDMA, other, card);
    world.start();
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::provider).containsExactly("sim");
    takeOut(world);
    world.sim.runFor(2 * PATIENCE);
    other.insertDevice();
    world.sim.runFor(3 * PATIENCE);
    assertThat(world.rdma().addresses()).isEmpty();
    assertThat(world.rdma().warnings()).singleElement().asString().contains("sim: no devices").doesNotContain("other");
    card.insertDevice();
    runUntilBack(world);
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::provider).containsExactly("sim");
  }

  @Test
  void aProviderIsChosenWhenOneHasADeviceAtLast() {
    SimProvider other = fabric.newProvider("other");
    other.removeDevice();
    card.removeDevice();
    NodeWorld world = world(Transport.PREFER_RDMA, card, other);
    world.start();
    assertThat(world.rdma().addresses()).isEmpty();
    other.insertDevice();
    runUntilBack(world);
    assertThat(world.rdma().addresses()).extracting(RdmaAddress::provider).containsExactly("other");
  }

  @Test
  void whatIsPublishedElsewhereIsTriedAgainUntilItIsWithdrawn() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    InetSocketAddress elsewhere = new InetSocketAddress(world.machine.address(), 5000);
    CmListener other = world.occupy(elsewhere);
    world.publish(elsewhere);
    assertThat(world.rdma().warnings()).singleElement().asString().contains("in use").contains("another address");
    world.hostLoop.run(other::close);
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address(), elsewhere);
    takeOut(world);
    assertThat(world.rdma().warnings()).hasSize(2);
    world.call(() -> world.node().unpublishVolume("data"));
    card.insertDevice();
    runUntilBack(world);
    world.sim.runFor(2 * PATIENCE);
    assertThat(addresses(world)).containsExactly(world.address());
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, elsewhere, ""))).isInstanceOf(RemoraException.class);
  }

  @Test
  void aNodeThatStopsTriesNoMore() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    world.publish(null);
    HostController host = world.await(world.connectByRdma(NQN, world.address(), ""));
    assertThat(world.io(world.device(host), Op.WRITE, 0, new byte[4096])).isEqualTo(Status.OK);
    takeOut(world);
    world.await(world.loop().call(() -> world.node().close()));
    card.insertDevice();
    world.sim.runFor(2 * PATIENCE);
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, world.address(), "")))
        .isInstanceOf(RemoraException.class);
    assertThat(world.registered.usedBytes()).isZero();
  }
}
