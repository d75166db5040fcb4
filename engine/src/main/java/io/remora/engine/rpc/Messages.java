package io.remora.engine.rpc;

import io.remora.base.Addresses;
import io.remora.engine.NodeInfo;
import io.remora.engine.PoolInfo;
import io.remora.engine.PublicationInfo;
import io.remora.engine.RdmaAddress;
import io.remora.engine.RdmaInfo;
import io.remora.engine.VolumeInfo;
import io.remora.v1.Node;
import io.remora.v1.Pool;
import io.remora.v1.Publication;
import io.remora.v1.Rdma;
import io.remora.v1.Volume;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Between the engine's records and the messages of the control interface. */
final class Messages {
  private Messages() {}

  static Node of(NodeInfo info, String version) {
    return Node.newBuilder().setUuid(info.uuid().toString()).setVersion(version)
        .setDataFolder(info.dataFolder().toString()).setPid(ProcessHandle.current().pid())
        .addAllListeners(info.listeners().stream().map(Addresses::format).toList())
        .setRdma(of(info.rdma())).setStartedUnixMs(info.startedWallMs()).setLoops(info.loops()).build();
  }

  private static Rdma of(RdmaInfo info) {
    return Rdma.newBuilder().setTransport(info.transport())
        .addAllAddresses(info.addresses().stream().map(Messages::of).toList()).addAllWarnings(info.warnings())
        .addAllPassedOver(info.passedOver()).build();
  }

  static RdmaInfo rdma(Rdma message) {
    return new RdmaInfo(message.getTransport(),
        message.getAddressesList().stream().map(Messages::address).toList(), message.getWarningsList(),
        message.getPassedOverList());
  }

  private static io.remora.v1.RdmaAddress of(RdmaAddress address) {
    return io.remora.v1.RdmaAddress.newBuilder().setProvider(address.provider()).setDevice(address.device())
        .setFabric(address.fabric()).setAddress(Addresses.format(address.address())).build();
  }

  private static RdmaAddress address(io.remora.v1.RdmaAddress message) {
    return new RdmaAddress(message.getProvider(), message.getDevice(), message.getFabric(),
        Addresses.parse(message.getAddress()));
  }

  static Pool of(PoolInfo info) {
    PoolInfo.Space space = info.space();
    return Pool.newBuilder().setName(info.name()).setUuid(info.uuid().toString())
        .addAllDisks(info.disks().stream().map(Path::toString).toList())
        .setState(info.state().name()).setReason(info.reason()).setClusterBytes(space.clusterBytes())
        .setCapacityBytes(space.capacityBytes()).setUsedBytes(space.usedBytes())
        .setReservedBytes(space.reservedBytes()).setAvailableBytes(space.availableBytes()).setVolumes(info.volumes())
        .build();
  }

  static PoolInfo pool(Pool message) {
    return new PoolInfo(message.getName(), UUID.fromString(message.getUuid()),
        message.getDisksList().stream().map(Path::of).toList(),
        PoolInfo.State.valueOf(message.getState()), message.getReason(),
        new PoolInfo.Space(message.getClusterBytes(), message.getCapacityBytes(), message.getUsedBytes(),
            message.getReservedBytes(), message.getAvailableBytes()),
        message.getVolumes());
  }

  static Volume of(VolumeInfo info) {
    Volume.Builder message = Volume.newBuilder().setName(info.name()).setUuid(info.uuid().toString())
        .setPool(info.pool()).setSizeBytes(info.sizeBytes()).setBlockBytes(info.blockBytes()).setThin(info.thin())
        .setUsedBytes(info.usedBytes());
    PublicationInfo publication = info.publication();
    if (publication != null) {
      Publication.Builder published = Publication.newBuilder().setNqn(publication.nqn())
          .setTransport(publication.transport())
          .setAddress(Addresses.format(publication.address())).addAllAllowedHosts(publication.allowedHosts())
          .setConnectedHosts(publication.connectedHosts()).setWriteProtected(publication.writeProtected());
      RdmaAddress rdma = publication.rdma();
      if (rdma != null) {
        published.setRdma(of(rdma));
      }
      message.setPublication(published);
    }
    return message.build();
  }

  static VolumeInfo volume(Volume message) {
    return new VolumeInfo(message.getName(), UUID.fromString(message.getUuid()), message.getPool(),
        message.getSizeBytes(), message.getBlockBytes(), message.getThin(), message.getUsedBytes(),
        message.hasPublication() ? publication(message.getPublication()) : null);
  }

  private static @Nullable PublicationInfo publication(Publication message) {
    return new PublicationInfo(message.getNqn(), message.getTransport(), Addresses.parse(message.getAddress()),
        message.hasRdma() ? address(message.getRdma()) : null, message.getAllowedHostsList(),
        message.getConnectedHosts(), message.getWriteProtected());
  }
}
