package io.remora.engine;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;

/** A provider that this machine has nothing for. */
public record AbsentProvider(String name, String unavailable) implements Provider {
  @Override
  public List<DeviceInfo> devices() {
    return List.of();
  }

  @Override
  public Context open(Loop loop, String device) {
    throw new RemoraException(Status.UNSUPPORTED, unavailable);
  }
}
