package io.remora.block;

import io.remora.base.Loop;
import io.remora.base.Status;
import java.util.UUID;

/**
 * Describes a block device; {@link #open} gives the channel that does I/O on it. The description may be read from any thread.
 */
public interface BlockDevice {
  /** Hears that a device has changed. Called on a thread of the device's choosing. */
  interface Listener {
    /** The size is another now: {@link BlockDevice#sizeBytes}. */
    void onResized(BlockDevice device);

    /** The device takes no more I/O, for good. */
    void onRemoved(BlockDevice device, Status reason);
  }

  /** For people: how the device was named when it was made. */
  String name();

  /** Its identity, the same on every path and after every restart. */
  UUID uuid();

  /** The unit of offsets and lengths in bytes: 512 to 4096, a power of two. */
  int blockSize();

  /** Its size in bytes, a multiple of {@link #blockSize}. */
  long sizeBytes();

  /** Whether DEALLOCATE frees space; a device without it answers OK to DEALLOCATE and does nothing. */
  boolean canDeallocate();

  /** Whether writes and the like fail with {@link Status#READ_ONLY}. */
  default boolean readOnly() {
    return false;
  }

  /**
   * Whether a completed write may be lost in a power failure until a FLUSH: false only when every write is durable at once.
   */
  boolean volatileCache();

  /** The alignment of memory in bytes from which it does I/O without a copy. */
  default int memoryAlignment() {
    return 1;
  }

  /**
   * A channel for I/O from {@code loop}, to be called on that loop's thread; the caller closes it.
   *
   * @throws io.remora.base.RemoraException when the device has been removed or has no room for another channel
   */
  BlockChannel open(Loop loop);

  /** Adds a listener. From any thread. */
  void addListener(Listener listener);

  /** Removes a listener. From any thread. */
  void removeListener(Listener listener);
}
