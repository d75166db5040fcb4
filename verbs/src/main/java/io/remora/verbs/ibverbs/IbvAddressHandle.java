package io.remora.verbs.ibverbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.util.Comparator;

/** The way to another end, of datagrams or for connecting by hand. Belongs to its protection domain's loop. */
final class IbvAddressHandle implements AddressHandle {
  private static final String KIND = "address handle";
  private static final int HOP_LIMIT = 64;

  private final IbvProtectionDomain domain;
  private final InetSocketAddress destination;
  private final byte[] attributes;
  private final long handle;
  private boolean open = true;

  /**
   * The way to an address of a RoCE network, from this device's nearest address. Finding the neighbour may take the kernel a while, for which the loop waits.
   *
   * @throws RemoraException UNSUPPORTED on InfiniBand, where only the connection manager knows the way
   */
  static IbvAddressHandle of(IbvProtectionDomain domain, InetSocketAddress destination) {
    OpenDevice device = domain.context().device();
    if (!device.fabric.isRoce()) {
      throw new RemoraException(Status.UNSUPPORTED,
          device.what("an address handle") + " by IP address is not supported on "
              + device.fabric.text() + ": connect by the connection manager, which brings one");
    }
    if (destination.getAddress() == null) {
      throw new RemoraException(Status.INVALID, destination + ": not a literal address");
    }
    byte[] target = Gid.of(destination.getAddress());
    Gid source = device.gids.stream()
        .max(Comparator.comparingInt((Gid gid) -> gid.type()).thenComparingInt(gid -> gid.commonBits(target)))
        .orElseThrow(() -> new RemoraException(Status.UNSUPPORTED,
            device.what("an address handle") + ": the device has no address; give its network interface one"));
    byte[] attributes = new byte[AddressLayout.BYTES];
    System.arraycopy(target, 0, attributes, AddressLayout.GID, target.length);
    attributes[AddressLayout.GID_INDEX] = (byte) source.index();
    attributes[AddressLayout.HOP_LIMIT] = HOP_LIMIT;
    attributes[AddressLayout.IS_GLOBAL] = 1;
    attributes[AddressLayout.PORT] = (byte) device.port;
    return new IbvAddressHandle(domain, destination, attributes);
  }

  /** The way that {@code attributes}, an {@code ibv_ah_attr}, say. */
  IbvAddressHandle(IbvProtectionDomain domain, InetSocketAddress destination, byte[] attributes) {
    this.domain = domain;
    this.destination = destination;
    this.attributes = attributes;
    OpenDevice device = domain.context().device();
    try (Arena arena = Arena.ofConfined()) {
      long wanted = arena.allocate(AddressLayout.BYTES, 8).address();
      writeTo(wanted);
      this.handle = NativeErrors.check(device.libraries.verbs().createAh.call(domain.address(), wanted),
          device.what(KIND + " for " + destination));
    }
    domain.children().opened(KIND);
  }

  /** The native handle. */
  long address() {
    return handle;
  }

  boolean serves(IbvProtectionDomain user) {
    return open && domain == user;
  }

  /** Writes the {@code ibv_ah_attr}. */
  void writeTo(long target) {
    for (int i = 0; i < attributes.length; i++) {
      Memory.putByte(target + i, attributes[i]);
    }
  }

  @Override
  public InetSocketAddress destination() {
    return destination;
  }

  @Override
  public void close() {
    if (open) {
      OpenDevice device = domain.context().device();
      NativeErrors.check(device.libraries.verbs().destroyAh.call(handle), device.what("close an " + KIND));
      open = false;
      domain.children().closed(KIND);
    }
  }
}
