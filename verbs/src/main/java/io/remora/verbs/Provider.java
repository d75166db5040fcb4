package io.remora.verbs;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A way to do RDMA: finds devices and opens them. From any thread. */
public interface Provider {
  /** Its short name: {@code ibverbs}, {@code iwarp}, {@code shm}, {@code sim}. */
  String name();

  /** Why there are no devices of it on this machine (a library that is missing, a kernel module) and what to do; null when it works. */
  @Nullable
  String unavailable();

  /** Its devices, the unusable ones with the reason. */
  List<DeviceInfo> devices();

  /**
   * Opens a device for {@code loop}, on that loop's thread.
   *
   * @param device its name
   * @throws RemoraException {@link Status#NOT_FOUND} when there is no such device, {@link Status#UNSUPPORTED} when it cannot be used, {@link Status#DENIED} when
   *     this process may not
   */
  Context open(Loop loop, String device);
}
