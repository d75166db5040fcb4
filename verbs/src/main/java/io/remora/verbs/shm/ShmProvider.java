package io.remora.verbs.shm;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RDMA between processes of one machine and one user through shared memory; one device, {@code shm0}. From any thread.
 *
 * <p>Connections are made between addresses of this machine; which of them does not matter. Memory that peers shall reach comes from {@link Context#allocate} or a buffer pool of base.
 */
public final class ShmProvider implements Provider {
  /** The provider's name. */
  public static final String NAME = "shm";
  /** The device's name. */
  public static final String DEVICE = "shm0";

  /** The provider; there is no difference between one and another. */
  public ShmProvider() {}

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
    return List.of(new DeviceInfo(NAME, DEVICE, "shared memory", null, List.of(), null));
  }

  @Override
  public Context open(Loop loop, String device) {
    if (!device.equals(DEVICE)) {
      throw new RemoraException(Status.NOT_FOUND, "provider shm has no device " + device + ", only " + DEVICE);
    }
    return new ShmContext(loop);
  }
}
