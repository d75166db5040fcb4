package io.remora.block;

import io.remora.base.Status;
import java.util.concurrent.CopyOnWriteArrayList;

/** The listeners of one device. From any thread; they are called on the thread that reports. */
public final class Listeners {
  private final CopyOnWriteArrayList<BlockDevice.Listener> listeners = new CopyOnWriteArrayList<>();

  /** None yet. */
  public Listeners() {}

  /** Adds one. */
  public void add(BlockDevice.Listener listener) {
    listeners.add(listener);
  }

  /** Removes one; nothing happens when it is not there. */
  public void remove(BlockDevice.Listener listener) {
    listeners.remove(listener);
  }

  /** Tells all that {@code device} has another size. */
  public void resized(BlockDevice device) {
    for (BlockDevice.Listener listener : listeners) {
      listener.onResized(device);
    }
  }

  /** Tells all that {@code device} takes no more I/O. */
  public void removed(BlockDevice device, Status reason) {
    for (BlockDevice.Listener listener : listeners) {
      listener.onRemoved(device, reason);
    }
  }
}
