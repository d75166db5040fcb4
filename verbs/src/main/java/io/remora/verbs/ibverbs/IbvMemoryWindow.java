package io.remora.verbs.ibverbs;

import io.remora.verbs.Access;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.SendRequest;

/** A memory window of the device, type 2. Belongs to its protection domain's loop. */
final class IbvMemoryWindow implements MemoryWindow {
  private static final String KIND = "memory window";
  private static final int TYPE_2 = 2;

  private final IbvProtectionDomain domain;
  private final NativeFunction dealloc;
  private final long window;
  private boolean open = true;

  IbvMemoryWindow(IbvProtectionDomain domain) {
    this.domain = domain;
    OpenDevice device = domain.context().device();
    this.dealloc = NativeFunction.status(Memory.getLong(device.context + ContextLayout.DEALLOC_MW), "L");
    this.window = NativeErrors.check(
        NativeFunction.pointer(Memory.getLong(device.context + ContextLayout.ALLOC_MW), "LI").call(domain.address(),
            TYPE_2),
        device.what(KIND));
    domain.children().opened(KIND);
  }

  /** The native window. */
  long address() {
    return window;
  }

  @Override
  public int remoteKey() {
    return Memory.getInt(window + WindowLayout.REMOTE_KEY);
  }

  @Override
  public int nextKey() {
    int key = remoteKey();
    return (key & ~0xff) | (key + 1 & 0xff);
  }

  @Override
  public ProtectionDomain protectionDomain() {
    return domain;
  }

  /** Whether a bind request of a queue pair of {@code user} makes sense. */
  static boolean bindable(IbvProtectionDomain user, SendRequest request) {
    int rights = Access.REMOTE_READ | Access.REMOTE_WRITE | Access.REMOTE_ATOMIC;
    int access = request.bindAccess();
    boolean writes = (access & (Access.REMOTE_WRITE | Access.REMOTE_ATOMIC)) != 0;
    return request.window() instanceof IbvMemoryWindow window && window.open && window.domain == user
        && request.bound() instanceof IbvMemoryRegion region && (access & ~rights) == 0 && request.bindLength() > 0
        && (request.bindKey() ^ window.remoteKey()) >>> 8 == 0
        && region.permits(user, request.bindOffset(), request.bindLength(),
            writes ? Access.WINDOW_BIND | Access.LOCAL_WRITE : Access.WINDOW_BIND);
  }

  /** It was posted to be bound with {@code key}: the library leaves it to its user to remember that. */
  void bound(int key) {
    Memory.putInt(window + WindowLayout.REMOTE_KEY, key);
  }

  @Override
  public void close() {
    if (open) {
      NativeErrors.check(dealloc.call(window), domain.context().device().what("close a " + KIND));
      open = false;
      domain.children().closed(KIND);
    }
  }
}
