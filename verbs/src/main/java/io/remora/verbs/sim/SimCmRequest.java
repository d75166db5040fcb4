package io.remora.verbs.sim;

import io.remora.base.Check;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A request to connect, on its way to whoever accepts it. */
final class SimCmRequest implements CmRequest {
  private final SimCmId from;
  private final SimListener listener;
  private final int queuePair;
  private final byte[] privateData;
  private final int responderResources;
  private final int initiatorDepth;

  /** What {@code from} asks for, said from this end's side. */
  SimCmRequest(SimCmId from, SimListener listener, int queuePair, byte[] privateData, int responderResources,
      int initiatorDepth) {
    this.from = from;
    this.listener = listener;
    this.queuePair = queuePair;
    this.privateData = privateData;
    this.responderResources = responderResources;
    this.initiatorDepth = initiatorDepth;
  }

  SimCmId from() {
    return from;
  }

  int queuePair() {
    return queuePair;
  }

  InetSocketAddress localAddress() {
    return listener.localAddress();
  }

  QueuePairType type() {
    return from.type();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return from.localAddress();
  }

  @Override
  public MemorySegment privateData() {
    return MemorySegment.ofArray(privateData).asReadOnly();
  }

  @Override
  public int responderResources() {
    return responderResources;
  }

  @Override
  public int initiatorDepth() {
    return initiatorDepth;
  }

  @Override
  public CmId attach(Context context, CmId.Handler handler) {
    Check.argument(context instanceof SimContext sim && sim.fabric() == listener.context().fabric(),
        "the request is for a context of the listener's fabric");
    return SimCmId.requested((SimContext) context, this, handler);
  }

  @Override
  public void reject(MemorySegment data) {
    from.carryBack(listener.context(), id -> id.rejected(SimCmId.copy(data)));
  }
}
