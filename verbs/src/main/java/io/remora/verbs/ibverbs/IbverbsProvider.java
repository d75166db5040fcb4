package io.remora.verbs.ibverbs;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RDMA on network cards, and on the kernel's software devices: InfiniBand, RoCE and iWARP by libibverbs and librdmacm. One object in a process: the loops that have a
 * device open share what the libraries have of it. From any thread.
 */
public final class IbverbsProvider implements Provider {
  static final String NAME = "ibverbs";

  /** How the data path calls the driver. */
  public enum Calls {
    /** As fast as the driver permits: without safepoints for those that do without the kernel. */
    BY_DRIVER,
    /** Always so that the virtual machine's other threads go on, if need be, at about a nanosecond more. */
    PLAIN,
    /** Always without safepoints; wrong for drivers that make system calls. */
    CRITICAL
  }

  private final @Nullable Libraries libraries;
  private final @Nullable OpenDevices open;
  private final String missing;

  /** Looks for the libraries. Calls are {@link Calls#BY_DRIVER}. */
  public IbverbsProvider() {
    this(Calls.BY_DRIVER);
  }

  /** Looks for the libraries. */
  public IbverbsProvider(Calls calls) {
    Libraries found = null;
    String why = "";
    try {
      found = Libraries.load();
    } catch (LinkageError e) {
      why = String.valueOf(e.getMessage());
    }
    this.libraries = found;
    this.missing = why;
    this.open = found == null ? null : new OpenDevices(found, calls);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public @Nullable String unavailable() {
    if (libraries == null) {
      return missing;
    }
    if (new DeviceDirectory(libraries).devices(false).isEmpty()) {
      return "this machine has no RDMA device; a software one: modprobe rdma_rxe && rdma link add rxe0 type rxe netdev IF";
    }
    return new DeviceDirectory(libraries).unavailable();
  }

  @Override
  public List<DeviceInfo> devices() {
    return libraries == null
        ? List.of()
        : new DeviceDirectory(libraries).devices(false).stream().map(NativeDevice::info).toList();
  }

  @Override
  public Context open(Loop loop, String device) {
    if (open == null) {
      throw new RemoraException(Status.UNSUPPORTED, "ibverbs: " + missing);
    }
    return open.open(loop, device);
  }
}
