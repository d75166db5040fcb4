package io.remora.cli;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import io.remora.verbs.ibverbs.IbverbsProvider;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.shm.ShmProvider;
import io.remora.verbs.sim.SimFabric;
import java.util.List;

/** The RDMA providers of this program. */
final class Providers {
  private Providers() {}

  /** Those that carry data between processes, best first. */
  static List<Provider> all() {
    return List.of(new IbverbsProvider(), new ShmProvider(), new IwarpProvider());
  }

  /** The provider of that name; {@code sim} too, which stays in this process. */
  static Provider find(String name) {
    if (name.equals("sim")) {
      return new SimFabric().provider();
    }
    for (Provider provider : all()) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new RemoraException(Status.NOT_FOUND,
        "no provider '" + name + "': " + String.join(", ", all().stream().map(Provider::name).toList()) + " or sim");
  }

  /** The first with a usable device; {@code sim} when there is none. */
  static Provider firstUsable() {
    for (Provider provider : all()) {
      if (provider.unavailable() == null && provider.devices().stream().anyMatch(DeviceInfo::usable)) {
        return provider;
      }
    }
    return new SimFabric().provider();
  }

  /** Its first usable device, or an error that says why none is. */
  static String device(Provider provider) {
    String why = provider.unavailable();
    for (DeviceInfo device : why == null ? provider.devices() : List.<DeviceInfo>of()) {
      if (device.usable()) {
        return device.name();
      }
      why = device.name() + ": " + device.unusable();
    }
    throw new RemoraException(Status.UNSUPPORTED,
        "provider " + provider.name() + " has no usable device here: " + (why == null ? "there are none" : why));
  }
}
