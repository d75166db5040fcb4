package io.remora.verbs.ibverbs;

import io.remora.base.Addresses;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;

/** A listening id. Belongs to its context's loop. */
final class IbvCmListener implements CmListener, CmTarget {
  private static final String KIND = "listener";
  private static final int BACKLOG = 1024;

  private final IbvContext context;
  private final IbvConnections connections;
  private final QueuePairType type;
  private final Handler handler;
  private final long id;
  private final InetSocketAddress address;
  private boolean closed;

  IbvCmListener(IbvContext context, IbvConnections connections, InetSocketAddress address, QueuePairType type,
      Handler handler) {
    this.context = context;
    this.connections = connections;
    this.type = type;
    this.handler = handler;
    this.id = connections.newId(type, this);
    try {
      listen(address);
    } catch (RemoraException e) {
      connections.destroy(id);
      throw e;
    }
    this.address = SocketAddress.read(id + CmIdLayout.SOURCE);
    context.children().opened(KIND);
  }

  private void listen(InetSocketAddress wanted) {
    OpenDevice device = context.device();
    String what = device.what("listen at " + Addresses.format(wanted));
    try (Arena arena = Arena.ofConfined()) {
      long raw = arena.allocate(SocketAddress.BYTES, 8).address();
      SocketAddress.write(wanted, raw);
      long bound = device.libraries.cm().bindAddr.call(id, raw);
      if (bound == -NativeErrors.ENODEV) {
        throw new RemoraException(Status.INVALID, what + ": no RDMA device has that address");
      }
      NativeErrors.check(bound, what);
    }
    long on = Memory.getLong(id + CmIdLayout.CONTEXT);
    if (on != 0 && on != device.context) {
      throw new RemoraException(Status.INVALID, what + ": the address is another device's, "
          + NativeDevice.name(Memory.getLong(on + ContextLayout.DEVICE)));
    }
    NativeErrors.check(device.libraries.cm().listen.call(id, BACKLOG), what);
  }

  @Override
  public Loop loop() {
    return context.loop();
  }

  @Override
  public void onEvent(CmEvent event) {
    if (event.type() == CmEvent.DEVICE_REMOVAL) {
      context.hear(new AsyncEvent(AsyncEvent.Kind.DEVICE_FATAL, null,
          context.device().what("the device under " + Addresses.format(address) + " was removed")));
    }
    if (event.type() != CmEvent.CONNECT_REQUEST) {
      return;
    }
    IbvCmRequest request = new IbvCmRequest(context, type, event);
    if (closed || Memory.getLong(event.id() + CmIdLayout.CONTEXT) != context.device().context) {
      // It listens at any address, and this came in by another device.
      request.refuse();
    } else {
      handler.onConnectRequest(request);
    }
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      connections.destroy(id);
      context.children().closed(KIND);
    }
  }
}
