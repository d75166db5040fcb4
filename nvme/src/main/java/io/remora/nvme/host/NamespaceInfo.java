package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;
import static io.remora.nvme.host.ControllerInfo.u64;
import static io.remora.nvme.host.ControllerInfo.u8;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a controller says of a namespace: Identify CNS 00h and 03h. Immutable.
 *
 * @param nsid its identifier at this controller
 * @param uuid its identity: its UUID, else made of its NGUID, EUI-64, or of the subsystem and the identifier
 * @param blockSize in bytes
 * @param sizeBytes its size
 * @param readOnly whether it is write protected now
 * @param canDeallocate whether Deallocate frees space
 */
public record NamespaceInfo(int nsid, UUID uuid, int blockSize, long sizeBytes, boolean readOnly,
    boolean canDeallocate) {
  static final int BYTES = 4096;
  private static final int TYPE_EUI64 = 1;
  private static final int TYPE_NGUID = 2;
  private static final int TYPE_UUID = 3;
  private static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /**
   * Reads both.
   *
   * @param s Identify namespace data
   * @param descriptors the identification descriptors; null when the controller has none
   * @return null when the namespace is not active (its capacity is 0)
   */
  static @Nullable NamespaceInfo parse(int nsid, MemorySegment s, @Nullable MemorySegment descriptors,
      ControllerInfo controller) {
    if (u64(s, 8) == 0) {
      return null;
    }
    int formats = u8(s, 25) + 1;
    int flbas = u8(s, 26);
    int index = (flbas & 15) | (formats > 16 ? (flbas >>> 1) & 0x30 : 0);
    long format = 128 + 4L * index;
    int metadata = u16(s, format);
    int shift = u8(s, format + 2);
    if (index >= formats || shift < 9 || shift > 12 || metadata != 0) {
      throw new RemoraException(Status.UNSUPPORTED, "namespace " + nsid + " of " + controller.subsystemNqn()
          + " has blocks of 2^" + shift + " bytes with " + metadata
          + " of metadata: 512 to 4096 without are supported");
    }
    long blocks = u64(s, 0);
    if (blocks <= 0 || blocks > Long.MAX_VALUE >>> shift) {
      throw new RemoraException(Status.PROTOCOL_ERROR, "namespace " + nsid + " of " + controller.subsystemNqn()
          + " claims " + Long.toUnsignedString(blocks) + " blocks");
    }
    UUID uuid = identity(nsid, s, descriptors, controller);
    return new NamespaceInfo(nsid, uuid, 1 << shift, blocks << shift, (u8(s, 99) & 1) != 0,
        controller.hasDeallocate());
  }

  /** Writes a UUID as its RFC has it, big-endian. */
  static void writeUuid(MemorySegment s, long at, UUID uuid) {
    s.set(BE64, at, uuid.getMostSignificantBits());
    s.set(BE64, at + 8, uuid.getLeastSignificantBits());
  }

  private static UUID identity(int nsid, MemorySegment s, @Nullable MemorySegment descriptors,
      ControllerInfo controller) {
    UUID best = descriptors == null ? null : find(descriptors, TYPE_UUID, 16);
    if (best == null && descriptors != null) {
      best = find(descriptors, TYPE_NGUID, 16);
    }
    if (best == null && (u64(s, 104) != 0 || u64(s, 112) != 0)) {
      best = new UUID(s.get(BE64, 104), s.get(BE64, 112));
    }
    if (best == null && descriptors != null) {
      best = find(descriptors, TYPE_EUI64, 8);
    }
    if (best != null) {
      return best;
    }
    String name = u64(s, 120) != 0
        ? "eui64 " + Long.toHexString(s.get(BE64, 120))
        : controller.subsystemNqn() + " " + controller.serial() + " " + nsid;
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
  }

  /** The first descriptor of {@code type} that is not all zero, as a UUID; null when there is none. */
  private static @Nullable UUID find(MemorySegment descriptors, int type, int length) {
    long at = 0;
    while (at + 4 <= descriptors.byteSize() && u8(descriptors, at + 1) != 0) {
      long next = at + 4 + u8(descriptors, at + 1);
      if (next > descriptors.byteSize()) {
        return null;
      }
      if (u8(descriptors, at) == type && next - at - 4 == length) {
        long high = descriptors.get(BE64, at + 4);
        long low = length == 16 ? descriptors.get(BE64, at + 12) : 0;
        if (high != 0 || low != 0) {
          return length == 16
              ? new UUID(high, low)
              : UUID.nameUUIDFromBytes(("eui64 " + Long.toHexString(high)).getBytes(StandardCharsets.UTF_8));
        }
      }
      at = next;
    }
    return null;
  }
}
