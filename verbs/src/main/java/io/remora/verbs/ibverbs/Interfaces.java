package io.remora.verbs.ibverbs;

import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the network interface of a device. Stateless. */
final class Interfaces {
  private Interfaces() {}

  /** The interface of the device that has these addresses; null when it has none, or does not say. */
  static @Nullable NetworkInterface of(List<Gid> gids, @Nullable Fabric fabric) {
    for (Gid gid : gids) {
      try {
        NetworkInterface network = gid.interfaceIndex() == 0 ? null : NetworkInterface.getByIndex(gid.interfaceIndex());
        if (network != null) {
          return network;
        }
      } catch (SocketException e) {
        // The interface has gone since.
      }
    }
    return fabric == Fabric.IWARP && !gids.isEmpty() ? byHardwareAddress(Gid.of(gids.getFirst().address())) : null;
  }

  /** Linux 6.1 names no interface for iWARP, but the device's address there begins with the interface's hardware address. Null unless one interface has it, and one only. */
  private static @Nullable NetworkInterface byHardwareAddress(byte[] gid) {
    NetworkInterface found = null;
    try {
      for (NetworkInterface network : NetworkInterface.networkInterfaces().toList()) {
        byte[] address = network.getHardwareAddress();
        if (address != null && address.length == 6 && Arrays.equals(address, Arrays.copyOf(gid, 6))) {
          if (found != null) {
            return null;
          }
          found = network;
        }
      }
    } catch (SocketException e) {
      return null;
    }
    return found;
  }
}
