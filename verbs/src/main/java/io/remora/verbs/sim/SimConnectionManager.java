package io.remora.verbs.sim;

import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;

/** The simulated device's connection manager. Belongs to its context's loop. */
final class SimConnectionManager implements ConnectionManager {
  private final SimContext context;

  SimConnectionManager(SimContext context) {
    this.context = context;
  }

  @Override
  public CmListener listen(InetSocketAddress address, QueuePairType type, CmListener.Handler handler) {
    return new SimListener(context, address, type, handler);
  }

  @Override
  public CmId resolve(InetSocketAddress address, QueuePairType type, CmId.Handler handler) {
    return SimCmId.resolving(context, address, type, handler);
  }
}
