package io.remora.verbs.sim;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens the device of a {@link SimFabric}. */
final class SimProvider implements Provider {
  static final String NAME = "sim";
  static final String DEVICE = "sim0";
  private final SimFabric fabric;

  SimProvider(SimFabric fabric) {
    this.fabric = fabric;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public @Nullable String unavailable() {
    return null;
  }

  @Override
  public List<DeviceInfo> devices() {
    return List.of(new DeviceInfo(NAME, DEVICE, "simulated", null, List.of(), null));
  }

  @Override
  public Context open(Loop loop, String device) {
    if (!device.equals(DEVICE)) {
      throw new RemoraException(Status.NOT_FOUND, "provider sim has no device " + device + ", only " + DEVICE);
    }
    return fabric.open(loop);
  }
}
