package io.remora.verbs.sim;

import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;

/** Takes connection requests. Belongs to its context's loop. */
final class SimListener implements CmListener {
  private final SimContext context;
  private final QueuePairType type;
  private final Handler handler;
  private final InetSocketAddress address;
  private boolean closed;

  SimListener(SimContext context, InetSocketAddress address, QueuePairType type, Handler handler) {
    this.context = context;
    this.type = type;
    this.handler = handler;
    this.address = context.fabric().listen(address, type, this);
    context.opened("listener");
  }

  SimContext context() {
    return context;
  }

  /** On its loop. False when it has been closed meanwhile. */
  boolean arrived(SimCmRequest request) {
    if (!closed) {
      handler.onConnectRequest(request);
    }
    return !closed;
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      context.fabric().unlisten(address, type, this);
      context.closed("listener");
    }
  }
}
