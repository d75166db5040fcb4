package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.remora.verbs.Capability;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.SendRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;

/** What a device says of itself, in the terms of the interface. */
final class DeviceQuery {
  private static final int MEM_MGT_EXTENSIONS = 1 << 21;
  private static final int MEM_WINDOW_TYPE_2A = 1 << 23;
  private static final int MEM_WINDOW_TYPE_2B = 1 << 24;
  private static final int ATOMIC_HCA = 1;
  private static final int ATOMIC_GLOBAL = 2;
  /** A request of the connection manager has room for 92 bytes, and librdmacm takes 36 of them for the addresses. */
  private static final int PRIVATE_DATA_INFINIBAND = 56;
  /** The length is one byte in librdmacm; four bytes are those of MPA revision 2. */
  private static final int PRIVATE_DATA_IWARP = 251;
  private static final int MAX_READS = 128;

  private final NativeDevice device;
  private final byte[] asked = new byte[DeviceAttributeLayout.BYTES];
  private final Fabric fabric;
  private final DriverQuirks quirks;
  private final int mtuCode;
  private final long maxMessageBytes;

  DeviceQuery(VerbsLibrary verbs, NativeDevice device, boolean hardware) {
    this.device = device;
    this.fabric = Objects.requireNonNull(device.fabric());
    try (Arena arena = Arena.ofConfined()) {
      long attributes = arena.allocate(DeviceAttributeLayout.BYTES, 8).address();
      NativeErrors.check(verbs.queryDevice.call(device.context(), attributes), "ibverbs: asking " + device.name());
      System.arraycopy(Memory.bytes(attributes, asked.length), 0, asked, 0, asked.length);
      long port = arena.allocate(PortLayout.BYTES, 8).address();
      NativeErrors.check(verbs.queryPort.call(device.context(), device.port(), port),
          "ibverbs: asking " + device.name());
      this.mtuCode = Memory.getInt(port + PortLayout.ACTIVE_MTU);
      this.maxMessageBytes = Memory.getInt(port + PortLayout.MAX_MESSAGE_SIZE) & 0xffffffffL;
    }
    this.quirks = DriverQuirks.of(number(DeviceAttributeLayout.VENDOR_ID), hardware);
  }

  /** The path's, as {@code ibv_mtu} numbers it: 1 for 256 bytes, 5 for 4096. */
  int mtuCode() {
    return mtuCode;
  }

  /** What its driver does otherwise. */
  DriverQuirks quirks() {
    return quirks;
  }

  /** All of it. */
  DeviceAttributes attributes(int maxInlineBytes) {
    Set<Capability> capabilities = capabilities();
    boolean datagrams = capabilities.contains(Capability.UD);
    return new DeviceAttributes(IbverbsProvider.NAME, device.name(), capabilities, number(DeviceAttributeLayout.MAX_QP),
        number(DeviceAttributeLayout.MAX_QP_WR), pieces(DeviceAttributeLayout.MAX_SGE),
        pieces(DeviceAttributeLayout.MAX_SGE_RD), maxInlineBytes, number(DeviceAttributeLayout.MAX_CQE),
        number(DeviceAttributeLayout.MAX_MR), reads(), maxMessageBytes, datagrams ? 128 << mtuCode : 0,
        fabric == Fabric.IWARP ? PRIVATE_DATA_IWARP : PRIVATE_DATA_INFINIBAND);
  }

  private Set<Capability> capabilities() {
    Set<Capability> can = EnumSet.of(Capability.RC, Capability.READ, Capability.ANY_MEMORY);
    int flags = number(DeviceAttributeLayout.CAPABILITY_FLAGS);
    int atomics = number(DeviceAttributeLayout.ATOMIC_CAPABILITY);
    boolean iwarp = fabric == Fabric.IWARP;
    add(can, Capability.SHARED_RECEIVE_QUEUE, number(DeviceAttributeLayout.MAX_SRQ) > 0);
    add(can, Capability.SEND_WITH_INVALIDATE,
        (iwarp || (flags & MEM_MGT_EXTENSIONS) != 0) && !quirks.losesInvalidatedKeys());
    add(can, Capability.READ_RIGHTS, !quirks.readsWithoutRights());
    add(can, Capability.SOLICITED_EVENTS, !quirks.ignoresSolicited());
    add(can, Capability.MEMORY_WINDOWS, (flags & (MEM_WINDOW_TYPE_2A | MEM_WINDOW_TYPE_2B)) != 0
        && number(DeviceAttributeLayout.MAX_MW) > 0 && !quirks.windowsAreOpen());
    if (!iwarp) {
      can.addAll(Set.of(Capability.UC, Capability.UD, Capability.IMMEDIATE, Capability.RECEIVER_NOT_READY,
          Capability.REMOTE_STATUS));
      // The way over InfiniBand is the subnet manager's to tell: only the connection manager asks it.
      add(can, Capability.MANUAL_CONNECTION, fabric.isRoce());
      add(can, Capability.ATOMICS, atomics == ATOMIC_HCA || atomics == ATOMIC_GLOBAL);
      add(can, Capability.ATOMICS_GLOBAL, atomics == ATOMIC_GLOBAL);
    }
    return can;
  }

  private int pieces(int field) {
    return Math.min(number(field), SendRequest.MAX_PIECES);
  }

  private int reads() {
    return Math.min(MAX_READS, Math.min(number(DeviceAttributeLayout.MAX_QP_RD_ATOMIC),
        number(DeviceAttributeLayout.MAX_QP_INIT_RD_ATOMIC)));
  }

  private int number(int field) {
    return MemorySegment.ofArray(asked).get(JAVA_INT_UNALIGNED, field);
  }

  private static void add(Set<Capability> can, Capability capability, boolean has) {
    if (has) {
      can.add(capability);
    }
  }
}
