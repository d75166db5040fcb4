package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The devices that this process has opened, one native context for each, which all loops share. From any thread. */
final class OpenDevices {
  private final Libraries libraries;
  private final IbverbsProvider.Calls calls;
  private final Map<String, OpenDevice> devices = new HashMap<>();

  OpenDevices(Libraries libraries, IbverbsProvider.Calls calls) {
    this.libraries = libraries;
    this.calls = calls;
  }

  /** Opens {@code name} for {@code loop}, on that loop's thread. */
  IbvContext open(Loop loop, String name) {
    Check.argument(loop.inLoop(), "a device is opened on the thread of its loop, %s", loop.name());
    return new IbvContext(loop, device(name));
  }

  private synchronized OpenDevice device(String name) {
    List<NativeDevice> all = new DeviceDirectory(libraries).devices(!devices.containsKey(name));
    NativeDevice found = all.stream().filter(device -> device.name().equals(name)).findFirst().orElseThrow(
        () -> new RemoraException(Status.NOT_FOUND, "ibverbs: there is no device " + name + ", only "
            + all.stream().map(NativeDevice::name).toList()));
    if (found.unusable() != null) {
      boolean denied = found.context() == 0 && found.unusable().startsWith("no way into");
      throw new RemoraException(denied ? Status.DENIED : Status.UNSUPPORTED,
          "ibverbs: " + name + " cannot be used: " + found.unusable());
    }
    OpenDevice known = devices.get(name);
    if (known != null && known.context == found.context()) {
      return known;
    }
    OpenDevice opened = OpenDevice.open(libraries, found, calls);
    devices.put(name, opened);
    return opened;
  }
}
