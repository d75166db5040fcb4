package io.remora.verbs.iwarp;

import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;

/** Connects by TCP and MPA. Belongs to its context's loop. */
final class IwarpConnectionManager implements ConnectionManager {
  private final IwarpContext context;

  IwarpConnectionManager(IwarpContext context) {
    this.context = context;
  }

  @Override
  public CmListener listen(InetSocketAddress address, QueuePairType type, CmListener.Handler handler) {
    context.require(type.capability(), "to listen for queue pairs of type " + type);
    return new IwarpListener(context, address, handler);
  }

  @Override
  public CmId resolve(InetSocketAddress address, QueuePairType type, CmId.Handler handler) {
    context.require(type.capability(), "a connection of type " + type);
    return IwarpCmId.resolving(context, address, handler);
  }
}
