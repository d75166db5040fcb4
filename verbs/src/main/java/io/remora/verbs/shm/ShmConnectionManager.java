package io.remora.verbs.shm;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.DatagramSocket;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;

/** The device's connection manager: addresses are names of local sockets. Belongs to its context's loop. */
final class ShmConnectionManager implements ConnectionManager {
  private final ShmContext context;

  ShmConnectionManager(ShmContext context) {
    this.context = context;
  }

  @Override
  public CmListener listen(InetSocketAddress address, QueuePairType type, CmListener.Handler handler) {
    requireLocal(address);
    return ShmListener.open(context, address, type, handler);
  }

  @Override
  public CmId resolve(InetSocketAddress address, QueuePairType type, CmId.Handler handler) {
    return ShmCmId.resolving(context, address, type, handler);
  }

  /** Refuses an address that is none of this machine's. */
  void requireLocal(InetSocketAddress address) {
    Check.argument(!address.isUnresolved(), "%s: not a literal address", address);
    if (!address.getAddress().isAnyLocalAddress() && !address.getAddress().isLoopbackAddress()) {
      try {
        // Only what is this machine's can be bound to.
        context.loop().net().bind(new InetSocketAddress(address.getAddress(), 0), new Unused()).close();
      } catch (RemoraException e) {
        throw new RemoraException(e.status() == Status.INVALID ? Status.INVALID : e.status(),
            Addresses.format(address)
                + " is none of this machine's addresses, and provider shm reaches no other machine",
            e);
      }
    }
  }

  /** Of a socket that only shows that an address can be bound to. */
  private static final class Unused implements DatagramSocket.Handler {
    @Override
    public void onReadable() {}

    @Override
    public void onWritable() {}
  }
}
