package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.PoolInfo;
import io.remora.engine.PublicationInfo;
import io.remora.engine.RdmaAddress;
import io.remora.engine.VolumeInfo;
import java.util.List;
import java.util.UUID;

/** How pools and volumes look as JSON. Names and meanings of fields do not change; new ones may come. */
final class Shapes {
  private Shapes() {}

  static ObjectNode pool(PoolInfo pool) {
    ObjectNode node = Terminal.object().put("name", pool.name()).put("uuid", pool.uuid().toString())
        .put("state", pool.state().name()).put("reason", pool.reason());
    ArrayNode disks = node.putArray("disks");
    pool.disks().forEach(disk -> disks.add(disk.toString()));
    PoolInfo.Space space = pool.space();
    return node.put("cluster_bytes", space.clusterBytes()).put("capacity_bytes", space.capacityBytes())
        .put("used_bytes", space.usedBytes()).put("reserved_bytes", space.reservedBytes())
        .put("available_bytes", space.availableBytes()).put("volumes", pool.volumes());
  }

  static ObjectNode volume(VolumeInfo volume) {
    ObjectNode node = Terminal.object().put("name", volume.name()).put("uuid", volume.uuid().toString())
        .put("pool", volume.pool()).put("size_bytes", volume.sizeBytes()).put("block_bytes", volume.blockBytes())
        .put("thin", volume.thin()).put("used_bytes", volume.usedBytes());
    PublicationInfo publication = volume.publication();
    if (publication == null) {
      node.putNull("publication");
    } else {
      ObjectNode published = node.putObject("publication").put("nqn", publication.nqn())
          .put("transport", publication.transport()).put("address", Addresses.format(publication.address()))
          .put("uri", uri(publication)).put("connect", connect(publication));
      uris(publication).forEach(published.putArray("uris")::add);
      ArrayNode hosts = published.putArray("allowed_hosts");
      publication.allowedHosts().forEach(hosts::add);
      published.put("connected_hosts", publication.connectedHosts());
      published.put("write_protected", publication.writeProtected());
    }
    return node;
  }

  /** What {@code remora bench} takes. */
  static String uri(PublicationInfo publication) {
    return "nvmf+" + publication.transport() + "://" + Addresses.format(publication.address()) + "/"
        + publication.nqn();
  }

  /** All that {@code remora bench} takes for it, that of TCP first. */
  static List<String> uris(PublicationInfo publication) {
    RdmaAddress rdma = publication.rdma();
    return rdma == null
        ? List.of(uri(publication))
        : List.of(uri(publication), "nvmf+rdma://" + Addresses.format(rdma.address()) + "/" + publication.nqn()
            + "?provider=" + rdma.provider());
  }

  /** Addresses of RDMA, for people. */
  static String text(List<RdmaAddress> addresses) {
    return String.join(", ", addresses.stream().map(Shapes::text).toList());
  }

  private static String text(RdmaAddress rdma) {
    return Addresses.format(rdma.address()) + " by " + rdma.provider() + " " + rdma.device() + " (" + rdma.fabric()
        + ")";
  }

  /** The line that connects a Linux machine. */
  static String connect(PublicationInfo publication) {
    String address = publication.address().getAddress().getHostAddress();
    return "nvme connect -t " + publication.transport() + " -a " + address + " -s "
        + publication.address().getPort() + " -n " + publication.nqn();
  }

  /** Whether {@code reference}, a NAME, POOL/NAME or UUID, names {@code volume}. */
  static boolean matches(VolumeInfo volume, String reference) {
    return reference.equals(volume.name()) || reference.equals(volume.pool() + "/" + volume.name())
        || isUuid(volume.uuid(), reference);
  }

  private static boolean isUuid(UUID uuid, String reference) {
    return uuid.toString().equalsIgnoreCase(reference);
  }
}
