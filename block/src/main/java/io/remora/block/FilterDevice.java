package io.remora.block;

import java.util.UUID;

/**
 * A device that stands on one other and is described as that one is; a subclass changes what happens to the I/O. What is different
 * about the description it overrides. Shared by any number of loops, as the lower device is.
 */
public abstract class FilterDevice implements BlockDevice {
  /** The device below. Not closed by this one. */
  protected final BlockDevice lower;

  /** A device on {@code lower}. */
  protected FilterDevice(BlockDevice lower) {
    this.lower = lower;
  }

  @Override
  public String name() {
    return lower.name();
  }

  @Override
  public UUID uuid() {
    return lower.uuid();
  }

  @Override
  public int blockSize() {
    return lower.blockSize();
  }

  @Override
  public long sizeBytes() {
    return lower.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return lower.canDeallocate();
  }

  @Override
  public boolean readOnly() {
    return lower.readOnly();
  }

  @Override
  public boolean volatileCache() {
    return lower.volatileCache();
  }

  @Override
  public int memoryAlignment() {
    return lower.memoryAlignment();
  }

  /** {@inheritDoc} Listeners are told of the lower device, and by it. */
  @Override
  public void addListener(Listener listener) {
    lower.addListener(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    lower.removeListener(listener);
  }
}
