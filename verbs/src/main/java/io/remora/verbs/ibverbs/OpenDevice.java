package io.remora.verbs.ibverbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Capability;
import io.remora.verbs.DeviceAttributes;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A device that is open, and what all loops that use it share: the native context, the attributes, the asynchronous events. Immutable but for {@link #events}; from any
 * thread.
 */
final class OpenDevice {
  /** Drivers (of the PCI function) whose user libraries post and poll without the kernel. */
  private static final Set<String> BYPASS = Set.of("mlx5_core", "mlx4_core", "bnxt_en", "cxgb4", "qede", "ice", "i40e",
      "idpf", "irdma", "hns3", "hns_roce_hw_v2", "erdma", "efa");

  /** The kernel's own number for {@link CompletionLayout#FLAG_INVALIDATED}. */
  private static final int KERNELS_INVALIDATED = 4;

  final Libraries libraries;
  final String name;
  final long context;
  final Fabric fabric;
  final int port;
  /** The path's, as {@code ibv_mtu} numbers it. */
  final int mtuCode;
  final List<Gid> gids;
  final List<InetAddress> addresses;
  final DeviceAttributes attributes;
  final DataPath path;
  /** Whether it is an adapter, and not a software device of the kernel. */
  final boolean hardware;
  /** The bits of a completion's flags that say that it made a key invalid. */
  final int invalidatedFlags;
  final DriverQuirks quirks;
  final AsyncEvents events;
  /** Whose the ids of connections are. */
  final Map<Long, CmTarget> cmTargets = new ConcurrentHashMap<>();

  /**
   * Makes sure that the structures are laid out as this code believes, and asks for the attributes.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} when they are not
   */
  static OpenDevice open(Libraries libraries, NativeDevice device, IbverbsProvider.Calls calls) {
    String driver = libraries.system().linkedName("/sys/class/infiniband/" + device.name() + "/device/driver");
    boolean critical = switch (calls) {
      case BY_DRIVER -> driver != null && BYPASS.contains(driver);
      case PLAIN -> false;
      case CRITICAL -> true;
    };
    return new OpenDevice(libraries, device, new DataPath(libraries.verbs(), device.context(), critical),
        driver != null);
  }

  private OpenDevice(Libraries libraries, NativeDevice device, DataPath path, boolean hardware) {
    if (device.fabric() == null || device.context() == 0) {
      throw new RemoraException(Status.UNSUPPORTED, "ibverbs: " + device.name() + " is not open");
    }
    this.libraries = libraries;
    this.name = device.name();
    this.context = device.context();
    this.fabric = device.fabric();
    this.port = device.port();
    this.gids = device.gids().stream().filter(gid -> gid.port() == device.port()).toList();
    this.addresses = device.addresses();
    this.path = path;
    this.hardware = hardware;
    DeviceQuery query = new DeviceQuery(libraries.verbs(), device, hardware);
    this.mtuCode = query.mtuCode();
    this.quirks = query.quirks();
    this.invalidatedFlags = CompletionLayout.FLAG_INVALIDATED
        | (quirks.numbersInvalidationsItself() ? KERNELS_INVALIDATED : 0);
    if (quirks.hasABadPlace()) {
      BadPlace.cover(libraries.verbs(), context, name);
    }
    this.attributes = query.attributes(new InlineProbe(libraries.verbs(), context).largest(name));
    this.events = new AsyncEvents(this);
  }

  /** Refuses what the device cannot do. */
  void require(Capability capability, String operation) {
    if (!attributes.can(capability)) {
      throw new RemoraException(Status.UNSUPPORTED, what(operation) + " is not supported by " + name + " ("
          + fabric.text() + "): it lacks " + capability);
    }
  }

  /** {@code operation} with the provider and the device, for messages. */
  String what(String operation) {
    return "ibverbs: " + name + ": " + operation;
  }
}
