package io.remora.engine;

import static io.remora.engine.NodeWorld.MIB;
import static io.remora.engine.NodeWorld.SECOND;
import static io.remora.engine.NodeWorld.file;
import static io.remora.engine.NodeWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.nvme.host.HostController;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class NodeSim {
  private static final String HOST = "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000001";

  private final NodeWorld world = new NodeWorld(Long.getLong("seed", 1));

  private VolumeInfo publishedVolume(List<String> hosts) {
    world.call(() -> world.node().createPool("main", file("/pool", 64 * MIB), 0, false));
    world.call(() -> world.node().createVolume("main", "data", uuid(1), 16 * MIB, false));
    return world.call(() -> world.node().publishVolume("data", null, hosts));
  }

  @Test
  void aNewNodeIsEmptyAndKeepsItsIdentity() {
    assertThat(world.view()).isEmpty();
    NodeInfo first = world.loop().call(() -> world.node().info());
    assertThat(first.listeners()).containsExactly(world.address());
    world.restart();
    assertThat(world.loop().call(() -> world.node().info().uuid())).isEqualTo(first.uuid());
  }

  @Test
  void everythingIsBackAfterAKill() {
    publishedVolume(List.of(HOST));
    world.call(() -> world.node().createVolume("main", "thick", uuid(2), 4 * MIB, true));
    world.call(() -> world.node().createPool("second", file("/second", 64 * MIB), 128 << 10, false));
    world.call(() -> world.node().createVolume("second", "data", uuid(3), 4 * MIB, false));
    InetSocketAddress elsewhere = new InetSocketAddress(world.machine.address(), 5000);
    world.call(() -> world.node().publishVolume("second/data", elsewhere, List.of()));
    List<String> before = world.view();
    assertThat(before).hasSize(5).anyMatch(line -> line.contains(":5000"));
    world.restart();
    assertThat(world.view()).isEqualTo(before);
    world.machine.powerLoss();
    world.start();
    assertThat(world.view()).isEqualTo(before);
  }

  @Test
  void completedWritesAreThereAfterAKillAndTheHostGoesOn() {
    VolumeInfo volume = publishedVolume(List.of());
    HostController host = world.await(world.connect(Names.nqn(volume.uuid()), world.address(), ""));
    byte[] data = pattern(64 << 10, 1);
    assertThat(world.io(world.device(host), Op.WRITE, MIB, data)).isEqualTo(Status.OK);
    world.restart();
    byte[] read = new byte[data.length];
    assertThat(world.io(world.device(host), Op.READ, MIB, read)).isEqualTo(Status.OK);
    assertThat(Arrays.equals(read, data)).isTrue();
    assertThat(world.io(world.device(host), Op.WRITE, 2 * MIB, data)).isEqualTo(Status.OK);
  }

  @Test
  void flushedWritesAreThereAfterAPowerLoss() {
    VolumeInfo volume = publishedVolume(List.of());
    HostController host = world.await(world.connect(Names.nqn(volume.uuid()), world.address(), ""));
    byte[] data = pattern(64 << 10, 2);
    assertThat(world.io(world.device(host), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    assertThat(world.io(world.device(host), Op.FLUSH, 0, new byte[0])).isEqualTo(Status.OK);
    world.machine.powerLoss();
    world.start();
    byte[] read = new byte[data.length];
    assertThat(world.io(world.device(host), Op.READ, 0, read)).isEqualTo(Status.OK);
    assertThat(Arrays.equals(read, data)).isTrue();
  }

  @Test
  void onlyAllowedHostsConnectAndPermissionsChangeLive() {
    VolumeInfo volume = publishedVolume(List.of(HOST));
    String nqn = Names.nqn(volume.uuid());
    assertThatThrownBy(() -> world.await(world.connect(nqn, world.address(), "nqn.2014-08.org.example:other")))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.DENIED));
    HostController host = world.await(world.connect(nqn, world.address(), HOST));
    assertThat(connectedHosts()).isEqualTo(1);
    world.call(() -> world.node().publishVolume("data", null, List.of("nqn.2014-08.org.example:other")));
    world.sim.runUntil(() -> connectedHosts() == 0, 10 * SECOND);
    world.await(host.close());
    HostController other = world.await(world.connect(nqn, world.address(), "nqn.2014-08.org.example:other"));
    assertThat(world.io(world.device(other), Op.READ, 0, new byte[4096])).isEqualTo(Status.OK);
  }

  private int connectedHosts() {
    return world.loop().call(() -> java.util.Objects.requireNonNull(world.node().volumes().getFirst().publication())
        .connectedHosts());
  }

  /** What a host has protected stays so, whatever happens to the node, until a host takes it back or the publication ends. */
  @Test
  void writeProtectionOutlivesTheNode() {
    VolumeInfo volume = publishedVolume(List.of());
    String nqn = Names.nqn(volume.uuid());
    byte[] data = pattern(4096, 6);
    HostController host = world.await(world.connect(nqn, world.address(), ""));
    assertThat(world.io(world.device(host), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    world.await(host.namespaces().getFirst().writeProtect(true));
    // The host was answered, so it holds from here on, and what was written before is durable.
    world.machine.powerLoss();
    world.start();
    List<String> protectedView = world.view();
    assertThat(protectedView).anyMatch(line -> line.endsWith("write protected"));
    assertThat(world.io(world.device(host), Op.WRITE, 0, pattern(4096, 7))).isEqualTo(Status.READ_ONLY);
    byte[] read = new byte[4096];
    assertThat(world.io(world.device(host), Op.READ, 0, read)).isEqualTo(Status.OK);
    assertThat(read).isEqualTo(data);
    world.await(host.close());
    // Other hosts do not change it, and neither does the program that works on the volume for the administrator.
    world.call(() -> world.node().publishVolume("data", null, List.of(HOST)));
    world.call(() -> world.node().publishVolume("data", null, List.of()));
    Attachment attachment = world.call(() -> world.node().attachVolume("data", HOST));
    HostController attached = world.await(world.connect(attachment.nqn(), attachment.address(), HOST));
    assertThat(world.io(world.device(attached), Op.WRITE, 0, data)).isEqualTo(Status.READ_ONLY);
    world.await(attached.close());
    world.call(() -> world.node().detachVolume(attachment));
    world.restart();
    assertThat(world.view()).isEqualTo(protectedView);
    world.await(world.writeProtect(nqn, world.address(), false));
    world.restart();
    HostController again = world.await(world.connect(nqn, world.address(), ""));
    assertThat(world.io(world.device(again), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    world.await(again.close());
    world.await(world.writeProtect(nqn, world.address(), true));
    world.call(() -> world.node().unpublishVolume("data"));
    world.call(() -> world.node().publishVolume("data", null, List.of()));
    assertThat(world.view()).noneMatch(line -> line.endsWith("write protected"));
  }

  @Test
  void aVolumePublishedElsewhereIsNotReachedAtTheNodesOwnAddress() {
    world.call(() -> world.node().createPool("main", file("/pool", 64 * MIB), 0, false));
    world.call(() -> world.node().createVolume("main", "data", uuid(1), 16 * MIB, false));
    InetSocketAddress elsewhere = new InetSocketAddress(world.machine.address(), 5000);
    world.call(() -> world.node().publishVolume("data", elsewhere, List.of()));
    String nqn = Names.nqn(uuid(1));
    assertThatThrownBy(() -> world.await(world.connect(nqn, world.address(), ""))).isInstanceOf(RemoraException.class);
    HostController host = world.await(world.connect(nqn, elsewhere, ""));
    world.await(host.close());
    assertThat(world.refusal(() -> world.node().publishVolume("data", null, List.of()))).isEqualTo(Status.EXISTS);
    world.call(() -> world.node().unpublishVolume("data"));
    assertThatThrownBy(() -> world.await(world.connect(nqn, elsewhere, ""))).isInstanceOf(RemoraException.class);
    assertThat(world.loop().call(() -> world.node().info().listeners())).containsExactly(world.address());
  }

  @Test
  void anAddressThatCannotBeHadLeavesTheVolumeUnpublished() {
    world.call(() -> world.node().createPool("main", file("/pool", 64 * MIB), 0, false));
    world.call(() -> world.node().createVolume("main", "data", uuid(1), 16 * MIB, false));
    InetSocketAddress foreign = new InetSocketAddress(world.hostMachine.address(), 5000);
    assertThat(world.refusal(() -> world.node().publishVolume("data", foreign, List.of()))).isEqualTo(Status.INVALID);
    List<String> before = world.view();
    world.restart();
    assertThat(world.view()).isEqualTo(before);
    world.call(() -> world.node().deleteVolume("data"));
  }

  @Test
  void whatIsInUseIsNotTakenAway() {
    publishedVolume(List.of());
    assertThat(world.refusal(() -> world.node().deleteVolume("data"))).isEqualTo(Status.BUSY);
    assertThat(world.refusal(() -> world.node().exportPool("main"))).isEqualTo(Status.BUSY);
    assertThat(world.refusal(() -> world.node().destroyPool("main"))).isEqualTo(Status.BUSY);
    Attachment attachment = world.call(() -> world.node().attachVolume("data", HOST));
    world.call(() -> world.node().unpublishVolume("data"));
    assertThat(world.refusal(() -> world.node().deleteVolume("data"))).isEqualTo(Status.BUSY);
    world.call(() -> world.node().detachVolume(attachment));
    world.call(() -> world.node().deleteVolume("data"));
    world.call(() -> world.node().destroyPool("main"));
    assertThat(world.view()).isEmpty();
    world.restart();
    assertThat(world.view()).isEmpty();
  }

  @Test
  void anAttachmentIsForOneHostAndForOneLife() {
    publishedVolume(List.of());
    Attachment attachment = world.call(() -> world.node().attachVolume("main/data", HOST));
    assertThatThrownBy(() -> world.await(world.connect(attachment.nqn(), attachment.address(), "")))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.DENIED));
    HostController host = world.await(world.connect(attachment.nqn(), attachment.address(), HOST));
    assertThat(world.device(host).uuid()).isEqualTo(uuid(1));
    assertThat(world.io(world.device(host), Op.WRITE, 0, pattern(4096, 3))).isEqualTo(Status.OK);
    world.await(host.close());
    world.restart();
    assertThatThrownBy(() -> world.await(world.connect(attachment.nqn(), attachment.address(), HOST)))
        .isInstanceOf(RemoraException.class);
  }

  @Test
  void commandsMayBeRepeated() {
    publishedVolume(List.of(HOST));
    List<String> before = world.view();
    publishedVolume(List.of(HOST));
    world.call(() -> world.node().importPool(List.of(Path.of("/pool"))));
    assertThat(world.view()).isEqualTo(before);
    assertThat(world.refusal(() -> world.node().createVolume("main", "data", uuid(2), MIB, false)))
        .isEqualTo(Status.EXISTS);
    assertThat(world.refusal(() -> world.node().createPool("main", file("/other", 64 * MIB), 0, false)))
        .isEqualTo(Status.EXISTS);
    assertThat(world.refusal(() -> world.node().createPool("other", file("/pool", 64 * MIB), 0, true)))
        .isEqualTo(Status.EXISTS);
    assertThat(world.view()).isEqualTo(before);
  }

  @Test
  void anExportedPoolIsImportedWhereItIs() {
    publishedVolume(List.of());
    world.call(() -> world.node().unpublishVolume("data"));
    List<String> before = world.view();
    world.call(() -> world.node().exportPool("main"));
    assertThat(world.view()).isEmpty();
    world.restart();
    assertThat(world.view()).isEmpty();
    assertThat(world.refusal(() -> world.node().createPool("new", file("/pool", 0), 0, false)))
        .isEqualTo(Status.EXISTS);
    world.call(() -> world.node().importPool(List.of(Path.of("/pool"))));
    assertThat(world.view()).isEqualTo(before);
    world.restart();
    assertThat(world.view()).isEqualTo(before);
  }

  @Test
  void volumesAndPoolsGrow() {
    publishedVolume(List.of());
    HostController host = world.await(world.connect(Names.nqn(uuid(1)), world.address(), ""));
    world.call(() -> world.node().resizeVolume("data", 32 * MIB));
    world.sim.runUntil(() -> world.device(host).sizeBytes() == 32 * MIB, 10 * SECOND);
    assertThat(world.io(world.device(host), Op.WRITE, 31 * MIB, pattern(4096, 4))).isEqualTo(Status.OK);
    assertThat(world.refusal(() -> world.node().resizeVolume("data", 16 * MIB))).isEqualTo(Status.INVALID);
    long before = world.loop().call(() -> world.node().pools().getFirst().space().capacityBytes());
    world.call(() -> world.node().growPool("main", file("/pool", 128 * MIB)));
    world.restart();
    assertThat(world.loop().call(() -> world.node().pools().getFirst().space().capacityBytes()))
        .isGreaterThan(before + 60 * MIB);
  }

  @Test
  void aPoolWhoseDiskIsGoneDoesNotKeepTheOthers() {
    publishedVolume(List.of());
    world.call(() -> world.node().createPool("second", file("/second", 64 * MIB), 0, false));
    world.machine.kill();
    SimLoop tool = world.machine.start(1).getFirst();
    tool.run(() -> tool.disk().delete(Path.of("/pool")));
    world.machine.kill();
    world.start();
    List<PoolInfo> pools = world.loop().call(() -> world.node().pools());
    assertThat(pools).extracting(PoolInfo::state).containsExactly(PoolInfo.State.FAULTED, PoolInfo.State.ONLINE);
    assertThat(pools.getFirst().reason()).contains("/pool");
    world.call(() -> world.node().exportPool("main"));
    assertThat(world.view()).hasSize(1);
  }

  @Test
  void wrongNamesAndNumbersAreRefusedAndChangeNothing() {
    publishedVolume(List.of());
    List<String> before = world.view();
    for (String name : List.of("", "a/b", "-a", "a b", "x".repeat(64), uuid(1).toString())) {
      assertThat(world.refusal(() -> world.node().createPool(name, file("/x", 64 * MIB), 0, false))).as(name)
          .isEqualTo(Status.INVALID);
      assertThat(world.refusal(() -> world.node().createVolume("main", name, uuid(7), MIB, false))).as(name)
          .isEqualTo(Status.INVALID);
    }
    assertThat(world.refusal(() -> world.node().createPool("p", file("/x", 64 * MIB), 12345, false)))
        .isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> world.node().createVolume("main", "v", uuid(7), 1000, false)))
        .isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> world.node().createVolume("none", "v", uuid(7), MIB, false)))
        .isEqualTo(Status.NOT_FOUND);
    assertThat(world.refusal(() -> world.node().publishVolume("data", null, List.of("no nqn"))))
        .isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> world.node().unpublishVolume("none"))).isEqualTo(Status.NOT_FOUND);
    assertThat(world.view()).isEqualTo(before);
    world.restart();
    assertThat(world.view()).isEqualTo(before);
  }

  @Test
  void stopsInOrder() {
    VolumeInfo volume = publishedVolume(List.of());
    HostController host = world.await(world.connect(Names.nqn(volume.uuid()), world.address(), ""));
    byte[] data = pattern(64 << 10, 5);
    assertThat(world.io(world.device(host), Op.WRITE, 0, data)).isEqualTo(Status.OK);
    CompletableFuture<Void> closing = world.loop().call(() -> world.node().close());
    assertThat(world.refusal(() -> world.node().createVolume("main", "late", uuid(2), MIB, false)))
        .isEqualTo(Status.ABORTED);
    world.await(closing);
    // Nothing was flushed by the host: the node itself has made it durable.
    world.machine.powerLoss();
    world.start();
    byte[] read = new byte[data.length];
    assertThat(world.io(world.device(host), Op.READ, 0, read)).isEqualTo(Status.OK);
    assertThat(Arrays.equals(read, data)).isTrue();
  }

  private static byte[] pattern(int length, int seed) {
    byte[] data = new byte[length];
    for (int i = 0; i < length; i++) {
      data[i] = (byte) (i * 31 + i / 251 + seed * 77 + 1);
    }
    return data;
  }
}
