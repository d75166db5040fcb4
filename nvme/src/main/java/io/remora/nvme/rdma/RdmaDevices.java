package io.remora.nvme.rdma;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.target.Port;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses among a provider's devices. Stateless. */
final class RdmaDevices {
  private RdmaDevices() {}

  /** Opens, on {@code loop}, the device by which {@code address} is reached or is this machine's own. */
  static Context open(Provider provider, Loop loop, InetAddress address) {
    return provider.open(loop, choose(provider, address).name());
  }

  /**
   * The usable device that has {@code address}, else the one with an address most like it, else the first.
   *
   * @throws RemoraException UNSUPPORTED when there is none, with the reason
   */
  static DeviceInfo choose(Provider provider, InetAddress address) {
    String unavailable = provider.unavailable();
    if (unavailable != null) {
      throw new RemoraException(Status.UNSUPPORTED, "RDMA provider " + provider.name() + ": " + unavailable);
    }
    List<DeviceInfo> devices = provider.devices();
    DeviceInfo best = null;
    int bestBits = -1;
    for (DeviceInfo device : devices) {
      int bits = device.usable() ? bits(device, address) : -1;
      if (bits > bestBits) {
        best = device;
        bestBits = bits;
      }
    }
    if (best == null) {
      throw new RemoraException(Status.UNSUPPORTED,
          "RDMA provider " + provider.name() + " has no device that can be used" + reasons(devices));
    }
    return best;
  }

  /** What the discovery log calls the fabric of {@code device}. */
  static Port.RdmaFabric fabric(DeviceInfo device) {
    return switch (device.fabric()) {
      case "InfiniBand" -> Port.RdmaFabric.INFINIBAND;
      case "RoCEv2" -> Port.RdmaFabric.ROCE_2;
      case "iWARP" -> Port.RdmaFabric.IWARP;
      default -> Port.RdmaFabric.OTHER;
    };
  }

  private static int bits(DeviceInfo device, InetAddress address) {
    int most = 0;
    for (InetAddress own : device.addresses()) {
      most = Math.max(most, commonBits(own.getAddress(), address.getAddress()));
    }
    return most;
  }

  private static int commonBits(byte[] a, byte[] b) {
    int at = Arrays.mismatch(a, b);
    if (a.length != b.length) {
      return 0;
    }
    return at < 0 ? 8 * a.length : 8 * at + Integer.numberOfLeadingZeros((a[at] ^ b[at]) & 0xff) - 24;
  }

  private static String reasons(List<DeviceInfo> devices) {
    StringBuilder text = new StringBuilder();
    for (DeviceInfo device : devices) {
      @Nullable
      String why = device.unusable();
      text.append(text.isEmpty() ? ": " : "; ").append(device.name()).append(": ").append(why);
    }
    return text.toString();
  }
}
