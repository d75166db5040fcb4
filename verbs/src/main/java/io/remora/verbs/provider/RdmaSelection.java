package io.remora.verbs.provider;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses a provider and a device by policy. From any thread; asks the system for its interfaces. */
public final class RdmaSelection {
  private RdmaSelection() {}

  /**
   * The first usable device of the first provider that the policy names.
   *
   * @param known the providers of this program
   * @throws RemoraException {@link Status#UNSUPPORTED} when RDMA is required and there is none, with every reason; {@link Status#INVALID} for a provider that is not known or
   *     an interface that cannot be one
   */
  public static RdmaChoice choose(RdmaPolicy policy, List<Provider> known) {
    List<String> passedOver = new ArrayList<>();
    InterfaceMatch match = InterfaceMatch.parse(policy.netInterface());
    if (!policy.enabled() || policy.transport() == RdmaPolicy.Transport.TCP) {
      return new RdmaChoice(null, null, null, List.of(policy.enabled() ? "transport is tcp" : "rdma.enabled is false"));
    }
    for (String name : policy.providers()) {
      Provider provider = provider(name, known);
      DeviceInfo device = usable(provider, match, passedOver);
      if (device != null) {
        return new RdmaChoice(provider, device, null, passedOver);
      }
    }
    String why = "no usable RDMA device (" + String.join("; ", passedOver) + ")";
    if (policy.transport() == RdmaPolicy.Transport.REQUIRE_RDMA) {
      throw new RemoraException(Status.UNSUPPORTED,
          why + ", and transport is require-rdma; see 'remora rdma devices', or allow prefer-rdma or tcp");
    }
    return new RdmaChoice(null, null, why + ", so connections go over TCP; see 'remora rdma devices'", passedOver);
  }

  /**
   * As {@link #choose(RdmaPolicy, List)}, for connections that come to {@code address}: when the policy names no interface, a device with addresses must have this one. The wildcard
   * is every device's.
   *
   * @throws RemoraException as above
   */
  public static RdmaChoice choose(RdmaPolicy policy, List<Provider> known, InetAddress address) {
    return choose(policy.on(address), known);
  }

  /**
   * Where to listen on {@code device}, which was chosen by {@code policy}, when {@code wished} is no more than a wish: there, but at an address of the interface when the policy names one that
   * does not have it.
   *
   * @throws RemoraException {@link Status#NOT_FOUND} when this machine has no such interface
   */
  public static InetAddress address(RdmaPolicy policy, DeviceInfo device, InetAddress wished) {
    if (policy.netInterface().isEmpty()) {
      return wished;
    }
    InterfaceMatch match = InterfaceMatch.parse(policy.netInterface());
    List<InetAddress> possible = match.ofThisMachine().stream()
        .filter(own -> device.addresses().isEmpty() || device.addresses().contains(own)).toList();
    if (possible.contains(wished)) {
      return wished;
    }
    boolean four = wished instanceof Inet4Address;
    return possible.stream().filter(own -> own instanceof Inet4Address == four).findFirst()
        .or(() -> possible.stream().findFirst())
        .orElseThrow(() -> new RemoraException(Status.NOT_FOUND,
            "rdma.interface: no interface of this machine with an address is " + match));
  }

  private static Provider provider(String name, List<Provider> known) {
    for (Provider provider : known) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new RemoraException(Status.INVALID,
        "rdma.providers: no provider '" + name + "', there are "
            + String.join(", ", known.stream().map(Provider::name).toList()));
  }

  private static @Nullable DeviceInfo usable(Provider provider, InterfaceMatch match, List<String> passedOver) {
    String unavailable = provider.unavailable();
    if (unavailable != null) {
      passedOver.add(provider.name() + ": " + unavailable);
      return null;
    }
    List<DeviceInfo> devices = provider.devices();
    if (devices.isEmpty()) {
      passedOver.add(provider.name() + ": no devices");
    }
    for (DeviceInfo device : devices) {
      String unusable = device.unusable();
      if (unusable != null) {
        passedOver.add(provider.name() + " " + device.name() + ": " + unusable);
      } else if (!match.matches(device.networkInterface(), device.addresses()) && !ofAnyInterface(device)) {
        passedOver.add(provider.name() + " " + device.name() + ": not on interface " + match);
      } else {
        return device;
      }
    }
    return null;
  }

  /** A device without an interface works over whichever addresses are used. */
  private static boolean ofAnyInterface(DeviceInfo device) {
    return device.networkInterface() == null && device.addresses().isEmpty();
  }
}
