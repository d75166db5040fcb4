package io.remora.verbs.soft;

import io.remora.verbs.Access;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A memory window in software: an entry of the key table that is valid while it is bound. */
public class SoftMemoryWindow extends KeyEntry implements MemoryWindow {
  private @Nullable SoftMemoryRegion region;
  private boolean closed;

  /** One that is not bound. */
  protected SoftMemoryWindow(SoftProtectionDomain domain) {
    super(domain, domain.context().keys().freeIndex(), domain.context().keys().freeTag());
    domain.context().keys().add(this);
    domain.opened("memory window");
  }

  @Override
  public int remoteKey() {
    return key();
  }

  @Override
  public int nextKey() {
    return index << 8 | (tag + 1 & 0xff);
  }

  @Override
  public ProtectionDomain protectionDomain() {
    return domain();
  }

  /** Whether a bind request makes sense for it; at the post. */
  static boolean bindable(SoftQueuePair user, SoftMemoryWindow window, SoftMemoryRegion region, int key, long offset,
      long length,
      int access) {
    return !window.closed && window.domain() == user.domain() && region.domain() == user.domain() && region.isOpen()
        && key >>> 8 == window.index && (region.access() & Access.WINDOW_BIND) != 0
        && Access.valid(access | Access.LOCAL_WRITE)
        && (access & (Access.LOCAL_WRITE | Access.WINDOW_BIND)) == 0
        && ((access & (Access.REMOTE_WRITE | Access.REMOTE_ATOMIC)) == 0 || (region.access() & Access.LOCAL_WRITE) != 0)
        && offset >= 0 && length > 0 && offset <= region.lengthBytes() - length;
  }

  /** Binds it, in its turn of the send queue; false when it is bound already or the region has gone. */
  boolean bind(SoftQueuePair user, SoftMemoryRegion to, int key, long from, long length, int rights) {
    if (valid || closed || !to.isOpen()) {
      return false;
    }
    region = to;
    to.windowBound();
    segment = to.segment();
    offset = from;
    address = to.address() + from;
    lengthBytes = length;
    access = rights;
    tag = key & 0xff;
    this.user = user;
    valid = true;
    onBound();
    return true;
  }

  @Override
  boolean invalidate() {
    SoftMemoryRegion bound = region;
    if (valid && bound != null) {
      valid = false;
      region = null;
      user = null;
      segment = MemorySegment.NULL;
      bound.windowUnbound();
      onUnbound();
    }
    return true;
  }

  @Override
  public void close() {
    if (!closed) {
      invalidate();
      closed = true;
      domain().context().keys().remove(this);
      domain().closed("memory window");
      onClosed();
    }
  }

  /** It is bound now. For providers. */
  protected void onBound() {}

  /** It is closed. For providers. */
  protected void onClosed() {}

  /** The region that it is bound to. For providers. */
  protected final @Nullable SoftMemoryRegion region() {
    return region;
  }

  /** It is not bound any more. For providers. */
  protected void onUnbound() {}
}
