package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;
import static io.remora.nvme.host.ControllerInfo.u32;
import static io.remora.nvme.host.ControllerInfo.u64;
import static io.remora.nvme.host.ControllerInfo.u8;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a controller says of a namespace: Identify CNS 00h and 03h. Immutable.
 *
 * @param nsid its identifier at this controller
 * @param ids the names it has everywhere
 * @param uuid its identity: its UUID, else made of its NGUID, EUI-64, or of the subsystem and the identifier
 * @param blockSize in bytes
 * @param sizeBytes its size
 * @param readOnly whether it is write protected now
 * @param canDeallocate whether Deallocate frees space
 * @param shared whether other controllers may have it too (NMIC)
 * @param anaGroup its ANA group, 0 when it has none
 */
public record NamespaceInfo(int nsid, NamespaceIds ids, UUID uuid, int blockSize, long sizeBytes, boolean readOnly,
    boolean canDeallocate, boolean shared, int anaGroup) {
  static final int BYTES = 4096;
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
    NamespaceIds ids = NamespaceIds.parse(s, descriptors);
    UUID uuid = ids.isEmpty()
        ? NamespaceIds.named(controller.subsystemNqn() + " " + controller.serial() + " " + nsid)
        : ids.best();
    return new NamespaceInfo(nsid, ids, uuid, 1 << shift, blocks << shift, (u8(s, 99) & 1) != 0,
        controller.hasDeallocate(), (u8(s, 30) & 1) != 0, u32(s, 92));
  }

  /** Writes a UUID as its RFC has it, big-endian. */
  static void writeUuid(MemorySegment s, long at, UUID uuid) {
    s.set(BE64, at, uuid.getMostSignificantBits());
    s.set(BE64, at + 8, uuid.getLeastSignificantBits());
  }
}
