package io.remora.verbs.sim;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A simulated device on a {@link SimFabric}, and who opens it. The device can be taken out of its machine and put back. From any thread; take it out and put it back from a simulation's
 * own thread.
 */
public final class SimProvider implements Provider {
  static final String NAME = "sim";
  static final String DEVICE = "sim0";

  private final SimFabric fabric;
  private final String name;
  private final List<SimContext> contexts = new CopyOnWriteArrayList<>();
  private volatile boolean out;

  SimProvider(SimFabric fabric, String name) {
    this.fabric = fabric;
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public @Nullable String unavailable() {
    return null;
  }

  @Override
  public List<DeviceInfo> devices() {
    return out ? List.of() : List.of(new DeviceInfo(name, DEVICE, "simulated", null, List.of(), null));
  }

  @Override
  public Context open(Loop loop, String device) {
    if (!device.equals(DEVICE)) {
      throw new RemoraException(Status.NOT_FOUND, "provider " + name + " has no device " + device + ", only " + DEVICE);
    }
    if (out) {
      throw new RemoraException(Status.NOT_FOUND, "the device has been taken out");
    }
    SimContext context = new SimContext(fabric, this, loop);
    contexts.add(context);
    return context;
  }

  void closed(SimContext context) {
    contexts.remove(context);
  }

  /**
   * Takes the device out of its machine: it is in no list any more and cannot be opened until {@link #insertDevice}, and what is open of it fails
   * ({@link io.remora.verbs.AsyncEvent.Kind#DEVICE_FATAL}).
   */
  public void removeDevice() {
    out = true;
    // Those of processes that were killed hear nothing.
    contexts.removeIf(context -> !SimFabric.execute(context.loop(), context::fail));
  }

  /** Puts it back; what was open does not work again. */
  public void insertDevice() {
    out = false;
  }
}
