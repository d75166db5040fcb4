package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.nvme.AnaState;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A namespace as a block device. Its description may be read from any thread and follows what the controller says; listeners
 * are called on the controller's first loop.
 */
public final class HostNamespace implements BlockDevice {
  private final HostController controller;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private volatile NamespaceInfo info;
  private volatile boolean removed;

  HostNamespace(HostController controller, NamespaceInfo info) {
    this.controller = controller;
    this.info = info;
  }

  /** Its identifier at the controller. */
  public int nsid() {
    return info.nsid();
  }

  /** The controller that it is reached by. */
  public HostController controller() {
    return controller;
  }

  @Override
  public String name() {
    return controller.subsystemNqn() + "/" + nsid();
  }

  @Override
  public UUID uuid() {
    return info.uuid();
  }

  @Override
  public int blockSize() {
    return info.blockSize();
  }

  @Override
  public long sizeBytes() {
    return info.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return info.canDeallocate();
  }

  @Override
  public boolean readOnly() {
    return info.readOnly();
  }

  @Override
  public boolean volatileCache() {
    return controller.info().volatileCache();
  }

  /** What the controller said of it last. */
  public NamespaceInfo info() {
    return info;
  }

  /** How well the controller reaches it, as it said last; OPTIMIZED when it knows no ANA. */
  public AnaState access() {
    return controller.access(info.anaGroup());
  }

  /**
   * Has the controller refuse writes of all hosts, or take them again (NVMe Base 2.0, 8.12). The future is done, on the controller's first loop,
   * when it has said so: what was written before is durable then. It fails with {@link RemoraException} when the controller cannot or does not
   * do that, and when the connection is lost meanwhile: it may have happened then.
   */
  public CompletableFuture<Void> writeProtect(boolean on) {
    return controller.submit(AdminCommand.setFeature(AdminCommand.FEATURE_WRITE_PROTECT, nsid(), on ? 1 : 0));
  }

  /** Whether it is gone for good. */
  public boolean removed() {
    return removed;
  }

  /**
   * A channel over the I/O queue of {@code loop}; over that of another loop, with a hop there and back for each request, when the
   * loop has none.
   */
  @Override
  public BlockChannel open(Loop loop) {
    if (removed) {
      throw new RemoraException(Status.NOT_FOUND, name() + " has been removed");
    }
    HostQueue queue = controller.queue(loop);
    HostChannel channel = new HostChannel(this, queue);
    return queue.loop() == loop ? channel : new HopChannel(loop, channel);
  }

  @Override
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    listeners.remove(listener);
  }

  /** Whether {@code other} describes the same namespace, perhaps of another size. */
  boolean sameAs(NamespaceInfo other) {
    NamespaceInfo mine = info;
    return mine.nsid() == other.nsid() && mine.uuid().equals(other.uuid()) && mine.ids().equals(other.ids())
        && mine.blockSize() == other.blockSize();
  }

  void update(NamespaceInfo other) {
    long before = info.sizeBytes();
    info = other;
    if (before != other.sizeBytes()) {
      for (Listener listener : listeners) {
        listener.onResized(this);
      }
    }
  }

  void remove(Status reason) {
    if (!removed) {
      removed = true;
      for (Listener listener : listeners) {
        listener.onRemoved(this, reason);
      }
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
