package io.remora.engine.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.AbsentProvider;
import io.remora.engine.DiskChoice;
import io.remora.engine.Names;
import io.remora.engine.Node;
import io.remora.engine.PoolInfo;
import io.remora.engine.PublicationInfo;
import io.remora.engine.RdmaAddress;
import io.remora.engine.RdmaInfo;
import io.remora.engine.RdmaOptions;
import io.remora.engine.VolumeInfo;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.tcp.HostTcp;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.sim.SimFabric;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlTest {
  private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
  private static final long MIB = 1 << 20;
  private static final String HOST = "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000001";

  private static final RdmaAddress RDMA = new RdmaAddress("sim", "sim0", "simulated",
      new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 4499));
  private static final Provider ABSENT = new AbsentProvider("card", "no card in any slot");

  @TempDir
  Path folder;

  private Loops loops;
  private Node node;
  private ControlServer server;
  private ControlClient client;

  @BeforeEach
  void start() {
    loops = Loops.start(Loops.Config.of("test", 1));
    RdmaPolicy policy = new RdmaPolicy(true, "", List.of("card", "sim"), RdmaPolicy.Transport.PREFER_RDMA);
    RdmaOptions rdma = RdmaOptions.of(policy, List.of(ABSENT, new SimFabric().provider()), RDMA.address());
    node = Node.open(loops.all(), Node.Config.of(folder, LOOPBACK).withRdma(rdma)).join();
    server = new ControlServer(node, "1.2.3");
    client = new ControlClient(folder);
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    CompletableFuture<Void> closed = new CompletableFuture<>();
    node.loop().execute(() -> node.close().thenRun(() -> closed.complete(null)));
    closed.join();
    loops.close();
  }

  @Test
  void tellsEverythingOfPoolsAndVolumes() {
    Path file = folder.resolve("pool");
    PoolInfo pool = client.createPool("main", List.of(new DiskChoice(file, 64 * MIB)), 0, false);
    assertThat(client.pools()).containsExactly(pool);
    assertThat(pool.disks()).containsExactly(file);
    assertThat(pool.state()).isEqualTo(PoolInfo.State.ONLINE);
    assertThat(pool.space().clusterBytes()).isEqualTo(MIB);
    assertThat(pool.space().capacityBytes()).isBetween(56 * MIB, 64 * MIB);
    UUID uuid = UUID.randomUUID();
    VolumeInfo volume = client.createVolume("main", "data", uuid, 8 * MIB, true);
    assertThat(volume).isEqualTo(new VolumeInfo("data", uuid, "main", 8 * MIB, 4096, false, 0, null));
    assertThat(client.createVolume("main", "data", uuid, 8 * MIB, true)).isEqualTo(volume);
    assertThat(client.pools().getFirst().space().reservedBytes()).isEqualTo(8 * MIB);
    VolumeInfo published = client.publishVolume("main/data", null, List.of(HOST));
    assertThat(published.publication())
        .isEqualTo(
            new PublicationInfo(Names.nqn(uuid), "tcp", client.node().listeners().getFirst(), RDMA, List.of(HOST), 0,
                false));
    assertThat(client.volumes()).containsExactly(published);
    assertThat(client.resizeVolume(uuid.toString(), 16 * MIB).sizeBytes()).isEqualTo(16 * MIB);
    assertThat(client.unpublishVolume("data").publication()).isNull();
    client.deleteVolume("data");
    assertThat(client.growPool("main", List.of(new DiskChoice(file, 128 * MIB))).space().capacityBytes())
        .isGreaterThan(110 * MIB);
    client.exportPool("main");
    assertThat(client.pools()).isEmpty();
    assertThat(client.importPool(List.of(file)).name()).isEqualTo("main");
    client.destroyPool("main");
    assertThat(client.pools()).isEmpty();
  }

  @Test
  void describesTheNode() {
    ControlClient.NodeSummary summary = client.node();
    assertThat(summary.version()).isEqualTo("1.2.3");
    assertThat(summary.dataFolder()).isEqualTo(folder);
    assertThat(summary.pid()).isEqualTo(ProcessHandle.current().pid());
    assertThat(summary.listeners()).hasSize(1).allMatch(address -> address.getPort() > 0);
    assertThat(summary.loops()).isEqualTo(1);
    assertThat(summary.rdma()).isEqualTo(
        new RdmaInfo("prefer-rdma", List.of(RDMA), List.of(), List.of("card: no card in any slot")));
  }

  @Test
  void failuresKeepTheirStatusAndText() {
    assertThatThrownBy(() -> client.deleteVolume("none"))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND))
        .hasMessage("there is no volume none; 'remora volume list' shows what there is");
    assertThatThrownBy(() -> client.createPool("a/b", List.of(), 0, false))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID))
        .hasMessageContaining("'a/b' cannot name a pool");
    assertThatThrownBy(() -> client.createPool("p", List.of(new DiskChoice(folder.resolve("no/such"), MIB)), 0, false))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND));
  }

  @Test
  void aLeaseEndsWhenItIsClosedAndWhenItsClientDies() throws Exception {
    client.createPool("main", List.of(new DiskChoice(folder.resolve("pool"), 64 * MIB)), 0, false);
    client.createVolume("main", "data", UUID.randomUUID(), 8 * MIB, false);
    ControlClient.Lease lease = client.attachVolume("data", HOST);
    connect(lease).close().join();
    lease.close();
    awaitDeletable();
    try (ControlClient other = new ControlClient(folder)) {
      assertThat(other.attachVolume("data", HOST).volume().name()).isEqualTo("data");
      assertThatThrownBy(() -> client.deleteVolume("data")).hasMessageContaining("in use");
    }
    awaitDeletable();
    client.deleteVolume("data");
  }

  private HostController connect(ControlClient.Lease lease) {
    return HostController.connect(new HostTcp(), loops.all(),
        HostOptions.of(lease.address(), lease.nqn()).withHost(new UUID(1, 2), HOST)).join();
  }

  /** The end of a call reaches the node a moment after it has ended here. */
  private void awaitDeletable() {
    for (int i = 0; i < 20_000; i++) {
      try {
        client.exportPool("main");
        client.importPool(List.of(folder.resolve("pool")));
        return;
      } catch (RemoraException e) {
        assertThat(e.status()).isEqualTo(Status.BUSY);
      }
    }
    throw new AssertionError("the volume stays in use");
  }

  @Test
  void onlyTheOwnerReachesTheSocket() throws IOException {
    Path socket = folder.resolve("control.sock");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
    try (var files = Files.list(folder)) {
      assertThat(files.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("control.sock",
          "node.lock", "node.state");
    }
  }

  @Test
  void aStaleSocketIsReplacedAndAClosedOneRemoved() throws IOException {
    server.close();
    Path socket = folder.resolve("control.sock");
    assertThat(socket).doesNotExist();
    assertThatThrownBy(() -> new ControlClient(folder))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND))
        .hasMessageContaining("remora up");
    Files.createFile(socket);
    Files.createDirectory(folder.resolve("new"));
    Files.createFile(folder.resolve("new/sock"));
    server = new ControlServer(node, "2");
    try (ControlClient again = new ControlClient(folder)) {
      assertThat(again.node().version()).isEqualTo("2");
    }
  }

  @Test
  void aPathThatIsTooLongForASocketIsNamed() {
    Path deep = folder.resolve("x".repeat(120));
    assertThatThrownBy(() -> new ControlClient(deep)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("shorter path");
  }
}
