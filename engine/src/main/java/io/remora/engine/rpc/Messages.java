package io.remora.engine.rpc;

import io.remora.base.Addresses;
import io.remora.engine.NodeInfo;
import io.remora.engine.PoolInfo;
import io.remora.engine.PublicationInfo;
import io.remora.engine.VolumeInfo;
import io.remora.v1.Node;
import io.remora.v1.Pool;
import io.remora.v1.Publication;
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
        .setStartedUnixMs(info.startedWallMs()).setLoops(info.loops()).build();
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
      message.setPublication(Publication.newBuilder().setNqn(publication.nqn()).setTransport(publication.transport())
          .setAddress(Addresses.format(publication.address())).addAllAllowedHosts(publication.allowedHosts())
          .setConnectedHosts(publication.connectedHosts()).setWriteProtected(publication.writeProtected()));
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
        message.getAllowedHostsList(), message.getConnectedHosts(), message.getWriteProtected());
  }
}
