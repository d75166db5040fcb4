package io.remora.verbs.ibverbs;

import io.remora.verbs.DeviceInfo;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A device as the libraries see it now, open or not.
 *
 * @param name its name
 * @param context where it is open, 0 when it is not
 * @param fabric what it speaks; null while that is not known
 * @param port the first port that is active, or 1
 * @param gids its addresses
 * @param unusable why it cannot be used; null when it can
 */
record NativeDevice(String name, long context, @Nullable Fabric fabric, int port, List<Gid> gids,
    @Nullable String unusable) {
  private static final int PORT_ACTIVE = 4;
  private static final int TRANSPORT_IWARP = 1;
  private static final int LINK_ETHERNET = 2;

  /** One that cannot be opened. */
  static NativeDevice closed(long device, String why) {
    boolean iwarp = Memory.getInt(device + DeviceLayout.TRANSPORT_TYPE) == TRANSPORT_IWARP;
    return new NativeDevice(name(device), 0, iwarp ? Fabric.IWARP : null, 1, List.of(), why);
  }

  /** The one that is open at {@code context}. */
  static NativeDevice of(VerbsLibrary verbs, long context) {
    long device = Memory.getLong(context + ContextLayout.DEVICE);
    List<Gid> gids = Gid.all(verbs, context);
    try (Arena arena = Arena.ofConfined()) {
      long attributes = arena.allocate(DeviceAttributeLayout.BYTES, 8).address();
      long asked = verbs.queryDevice.call(context, attributes);
      if (asked < 0) {
        return closed(device, "it does not answer: " + NativeErrors.text((int) -asked));
      }
      int ports = Memory.getUnsignedByte(attributes + DeviceAttributeLayout.PHYSICAL_PORTS);
      long attribute = arena.allocate(PortLayout.BYTES, 8).address();
      String unusable = "it has no port";
      for (int port = ports; port >= 1; port--) {
        if (verbs.queryPort.call(context, port, attribute) == 0
            && Memory.getInt(attribute + PortLayout.STATE) == PORT_ACTIVE) {
          return new NativeDevice(name(device), context, fabric(device, attribute, gids), port, gids, null);
        }
        unusable = down(port, Memory.getInt(attribute + PortLayout.STATE),
            interfaceName(gids, fabric(device, attribute, gids)));
      }
      return new NativeDevice(name(device), context, fabric(device, attribute, gids), 1, gids, unusable);
    }
  }

  /** The name of the device at {@code device}. */
  static String name(long device) {
    return Memory.text(device + DeviceLayout.NAME, DeviceLayout.NAME_BYTES);
  }

  /** For choosing among devices. */
  DeviceInfo info() {
    return new DeviceInfo(IbverbsProvider.NAME, name, fabric == null ? "InfiniBand or RoCE" : fabric.text(),
        interfaceName(gids, fabric), addresses(), unusable);
  }

  /** Where its connections are made from and to; empty when it does not say. */
  List<InetAddress> addresses() {
    List<InetAddress> addresses = new ArrayList<>();
    if (fabric != null && fabric.isRoce()) {
      gids.stream().map(Gid::address).distinct().forEach(addresses::add);
    } else if (fabric == Fabric.IWARP) {
      NetworkInterface network = Interfaces.of(gids, fabric);
      if (network != null) {
        network.inetAddresses().forEach(addresses::add);
      }
    }
    return addresses;
  }

  private static Fabric fabric(long device, long port, List<Gid> gids) {
    if (Memory.getInt(device + DeviceLayout.TRANSPORT_TYPE) == TRANSPORT_IWARP) {
      return Fabric.IWARP;
    }
    if (Memory.getUnsignedByte(port + PortLayout.LINK_LAYER) != LINK_ETHERNET) {
      return Fabric.INFINIBAND;
    }
    return gids.stream().anyMatch(gid -> gid.type() == Gid.ROCE_V2) ? Fabric.ROCE_V2 : Fabric.ROCE_V1;
  }

  private static String down(int port, int state, @Nullable String network) {
    String words = switch (state) {
      case 1 -> "down";
      case 2 -> "initialising: on InfiniBand a subnet manager must run";
      case 3 -> "armed, not yet active";
      default -> "in state " + state;
    };
    String remedy = network == null ? "see rdma link show" : "ip link set " + network + " up, and see rdma link show";
    return "port " + port + " is " + words + " (" + remedy + ")";
  }

  private static @Nullable String interfaceName(List<Gid> gids, @Nullable Fabric fabric) {
    NetworkInterface network = Interfaces.of(gids, fabric);
    return network == null ? null : network.getName();
  }
}
