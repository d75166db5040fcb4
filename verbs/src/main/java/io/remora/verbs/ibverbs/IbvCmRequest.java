package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A request to connect, and its id, which stays with the listener's event channel until it is attached. */
final class IbvCmRequest implements CmRequest, CmTarget {
  private final IbvContext listener;
  private final OpenDevice device;
  private final QueuePairType type;
  private final CmEvent event;
  private boolean used;

  IbvCmRequest(IbvContext listener, QueuePairType type, CmEvent event) {
    this.listener = listener;
    this.device = listener.device();
    this.type = type;
    this.event = event;
    device.cmTargets.put(event.id(), this);
  }

  long id() {
    return event.id();
  }

  QueuePairType type() {
    return type;
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return SocketAddress.read(event.id() + CmIdLayout.DESTINATION);
  }

  @Override
  public MemorySegment privateData() {
    return event.privateData();
  }

  @Override
  public int responderResources() {
    return depth(event.responderResources());
  }

  @Override
  public int initiatorDepth() {
    return depth(event.initiatorDepth());
  }

  private int depth(int asked) {
    // MPA revision 1 says nothing of it: then each end takes what it has.
    int most = device.attributes.maxReads();
    return device.fabric == Fabric.IWARP && asked == 0 ? most : Math.min(asked, most);
  }

  @Override
  public CmId attach(Context context, CmId.Handler handler) {
    Check.argument(context instanceof IbvContext ibv && ibv.device() == device,
        "the request is for a context of the listener's device");
    use();
    return IbvCmId.requested((IbvContext) context, this, handler);
  }

  @Override
  public void reject(MemorySegment privateData) {
    int length = IbvConnections.privateData(device, privateData);
    use();
    try (Arena arena = Arena.ofConfined()) {
      long data = length == 0 ? 0 : arena.allocate(length, 8).address();
      if (length > 0) {
        Memory.copy(privateData, data);
      }
      device.libraries.cm().reject.call(event.id(), data, length);
    }
    destroy();
  }

  /** Refuses without a word. */
  void refuse() {
    reject(MemorySegment.NULL);
  }

  private void use() {
    Check.argument(!used, "a request is attached or rejected once");
    used = true;
  }

  private void destroy() {
    device.cmTargets.remove(event.id());
    device.libraries.cm().destroyId.call(event.id());
  }

  @Override
  public Loop loop() {
    return listener.loop();
  }

  @Override
  public void onEvent(CmEvent later) {
    // The other end has given up. Whoever attaches the request hears so when accepting it fails.
  }
}
