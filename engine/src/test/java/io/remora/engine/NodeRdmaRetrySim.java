package io.remora.engine;

import static io.remora.engine.NodeWorld.MIB;
import static io.remora.engine.NodeWorld.SECOND;
import static io.remora.engine.NodeWorld.file;
import static io.remora.engine.NodeWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.DiscoveryClient;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostState;
import io.remora.nvme.tcp.HostTcp;
import io.remora.verbs.CmListener;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.provider.RdmaPolicy.Transport;
import io.remora.verbs.sim.SimFabric;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A node whose RDMA cannot be had at first, or is lost later: it serves TCP, says so, and has RDMA again by itself. */
class NodeRdmaRetrySim {
  private static final String NQN = Names.nqn(uuid(1));
  /** More than the longest time between two attempts. */
  private static final long PATIENCE = 61 * SECOND;

  /** The simulated device, which a driver brings only later. */
  private static final class Late implements Provider {
    private final Provider fabric;
    private boolean here;

    Late(Provider fabric) {
      this.fabric = fabric;
    }

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
      return here ? fabric.devices() : List.of();
    }

    @Override
    public Context open(Loop loop, String device) {
      return fabric.open(loop, device);
    }
  }

  private static NodeWorld world(Transport transport, Function<SimFabric, List<Provider>> providers) {
    return new NodeWorld(Long.getLong("seed", 1), new RdmaPolicy(true, "", List.of("sim"), transport), providers);
  }

  private static NodeWorld started(Transport transport) {
    NodeWorld world = world(transport, fabric -> List.of(fabric.provider()));
    world.start();
    return world;
  }

  private static void publish(NodeWorld world, @Nullable InetSocketAddress at) {
    world.call(() -> world.node().createPool("main", file("/pool", 64 * MIB), 0, false));
    world.call(() -> world.node().createVolume("main", "data", uuid(1), 16 * MIB, false));
    world.call(() -> world.node().publishVolume("data", at, List.of()));
  }

  private static RdmaInfo rdma(NodeWorld world) {
    return world.loop().call(() -> world.node().info().rdma());
  }

  private static List<InetSocketAddress> addresses(NodeWorld world) {
    return rdma(world).addresses().stream().map(RdmaAddress::address).toList();
  }

  private static void runUntilBack(NodeWorld world) {
    world.sim.runUntil(() -> rdma(world).warnings().isEmpty(), PATIENCE);
  }

  private static void takeOut(NodeWorld world) {
    List<Loop> loops = List.copyOf(world.machine.loops());
    world.fabric.removeDevice(loops::contains);
    world.sim.runUntil(() -> rdma(world).addresses().isEmpty(), SECOND);
  }

  private static CmListener occupy(NodeWorld world, InetSocketAddress address) {
    return world.hostLoop.call(() -> world.fabric.provider().open(world.hostLoop, "sim0").connectionManager()
        .listen(address, QueuePairType.RC, request -> {}));
  }

  private static List<DiscoveryEntry.Transport> discovered(NodeWorld world) {
    HostOptions service = HostOptions.of(world.address(), HostOptions.DISCOVERY_NQN);
    return world.await(DiscoveryClient.read(new HostTcp(), world.hostLoop, service)).stream()
        .filter(entry -> entry.subsystemNqn().equals(NQN)).map(DiscoveryEntry::transport).toList();
  }

  @Test
  void anAddressThatIsTakenIsHadWhenItIsFree() {
    NodeWorld world = world(Transport.PREFER_RDMA, fabric -> List.of(fabric.provider()));
    CmListener other = occupy(world, world.address());
    world.start();
    long registered = world.registered.usedBytes();
    world.sim.runFor(10 * PATIENCE);
    assertThat(rdma(world).warnings()).singleElement().asString().contains("in use").contains("--rdma-listen")
        .contains("since").contains("tried again");
    assertThat(world.registered.usedBytes()).as("attempts leave nothing").isEqualTo(registered);
    world.hostLoop.run(other::close);
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address());
    publish(world, null);
    world.await(world.await(world.connectByRdma(NQN, world.address(), "")).close());
  }

  @Test
  void aDeviceThatComesLaterIsUsed() {
    Late[] late = new Late[1];
    NodeWorld world = world(Transport.PREFER_RDMA, fabric -> List.of(late[0] = new Late(fabric.provider())));
    world.start();
    assertThat(rdma(world).warnings()).singleElement().asString().contains("sim: no devices");
    world.sim.runFor(PATIENCE);
    assertThat(rdma(world).addresses()).isEmpty();
    late[0].here = true;
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address());
    assertThat(rdma(world).passedOver()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"PREFER_RDMA", "REQUIRE_RDMA"})
  void aDeviceThatIsLostIsUsedAgainWhenItIsBack(Transport transport) {
    NodeWorld world = started(transport);
    publish(world, null);
    assertThat(discovered(world)).containsExactlyInAnyOrder(DiscoveryEntry.Transport.TCP,
        DiscoveryEntry.Transport.RDMA);
    HostController rdma = world.await(world.connectByRdma(NQN, world.address(), ""));
    byte[] data = new byte[128 << 10];
    java.util.Arrays.fill(data, (byte) 7);
    assertThat(world.io(world.device(rdma), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    long registered = world.registered.usedBytes();
    for (int round = 0; round < 3; round++) {
      takeOut(world);
      assertThat(rdma(world).addresses()).isEmpty();
      assertThat(rdma(world).warnings()).singleElement().asString().contains("taken out").contains("sim sim0")
          .contains("over TCP").contains("since");
      assertThat(discovered(world)).containsExactly(DiscoveryEntry.Transport.TCP);
      HostController tcp = world.await(world.connect(NQN, world.address(), ""));
      byte[] read = new byte[data.length];
      assertThat(world.io(world.device(tcp), Op.READ, 0, read)).isEqualTo(Status.OK);
      assertThat(read).isEqualTo(data);
      world.await(tcp.close());
      world.sim.runFor(2 * PATIENCE);
      assertThat(world.registered.usedBytes()).as("what is registered without a device").isZero();
      world.fabric.insertDevice();
      runUntilBack(world);
      assertThat(addresses(world)).containsExactly(world.address());
      world.sim.runUntil(() -> rdma.status().state() == HostState.LIVE, PATIENCE);
      assertThat(world.io(world.device(rdma), Op.READ, 0, read)).isEqualTo(Status.OK);
      assertThat(read).isEqualTo(data);
      assertThat(world.registered.usedBytes()).isEqualTo(registered);
    }
  }

  @Test
  void whatIsPublishedElsewhereIsTriedAgainUntilItIsWithdrawn() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    InetSocketAddress elsewhere = new InetSocketAddress(world.machine.address(), 5000);
    CmListener other = occupy(world, elsewhere);
    publish(world, elsewhere);
    assertThat(rdma(world).warnings()).singleElement().asString().contains("in use").contains("another address");
    world.hostLoop.run(other::close);
    runUntilBack(world);
    assertThat(addresses(world)).containsExactly(world.address(), elsewhere);
    takeOut(world);
    assertThat(rdma(world).warnings()).hasSize(2);
    world.call(() -> world.node().unpublishVolume("data"));
    world.fabric.insertDevice();
    runUntilBack(world);
    world.sim.runFor(2 * PATIENCE);
    assertThat(addresses(world)).containsExactly(world.address());
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, elsewhere, ""))).isInstanceOf(RemoraException.class);
  }

  @Test
  void aNodeThatStopsTriesNoMore() {
    NodeWorld world = started(Transport.PREFER_RDMA);
    publish(world, null);
    HostController host = world.await(world.connectByRdma(NQN, world.address(), ""));
    assertThat(world.io(world.device(host), Op.WRITE, 0, new byte[4096])).isEqualTo(Status.OK);
    takeOut(world);
    world.await(world.loop().call(() -> world.node().close()));
    world.fabric.insertDevice();
    world.sim.runFor(2 * PATIENCE);
    assertThatThrownBy(() -> world.await(world.connectByRdma(NQN, world.address(), "")))
        .isInstanceOf(RemoraException.class);
    assertThat(world.registered.usedBytes()).isZero();
  }
}
