package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u64;
import static io.remora.nvme.host.ControllerInfo.u8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The names of a namespace that are the same on every path and belong to no other: Identify CNS 03h, and the fields NGUID and EUI64
 * of CNS 00h (NVMe Base 2.0, 4.5.1). Immutable.
 *
 * @param uuid null when it has none
 * @param nguid the sixteen bytes in the order of a UUID's; null when it has none
 * @param eui64 0 when it has none
 */
public record NamespaceIds(@Nullable UUID uuid, @Nullable UUID nguid, long eui64) {
  private static final int TYPE_EUI64 = 1;
  private static final int TYPE_NGUID = 2;
  private static final int TYPE_UUID = 3;
  private static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /**
   * Reads them.
   *
   * @param s Identify namespace data
   * @param descriptors the identification descriptors; null when the controller has none
   */
  static NamespaceIds parse(MemorySegment s, @Nullable MemorySegment descriptors) {
    UUID uuid = descriptors == null ? null : wide(descriptors, find(descriptors, TYPE_UUID, 16));
    UUID nguid = descriptors == null ? null : wide(descriptors, find(descriptors, TYPE_NGUID, 16));
    long at = descriptors == null ? -1 : find(descriptors, TYPE_EUI64, 8);
    long eui64 = descriptors == null || at < 0 ? 0 : descriptors.get(BE64, at);
    return new NamespaceIds(uuid, nguid != null ? nguid : wide(s, 104), eui64 != 0 ? eui64 : s.get(BE64, 120));
  }

  /** Whether it has none of them, so that it cannot be recognized elsewhere. */
  public boolean isEmpty() {
    return uuid == null && nguid == null && eui64 == 0;
  }

  /** The UUID, else one with the bytes of the NGUID, else one made of the EUI-64. There must be one. */
  UUID best() {
    return uuid != null ? uuid : nguid != null ? nguid : named("eui64 " + Long.toHexString(eui64));
  }

  static UUID named(String name) {
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
  }

  /** Sixteen bytes that are not all zero; null when there are none, or {@code at} is negative. */
  private static @Nullable UUID wide(MemorySegment s, long at) {
    return at < 0 || (u64(s, at) == 0 && u64(s, at + 8) == 0) ? null : new UUID(s.get(BE64, at), s.get(BE64, at + 8));
  }

  /** Where the value of the first descriptor of {@code type} is that is not all zero; -1 when there is none. */
  private static long find(MemorySegment descriptors, int type, int length) {
    long at = 0;
    while (at + 4 <= descriptors.byteSize() && u8(descriptors, at + 1) != 0) {
      long next = at + 4 + u8(descriptors, at + 1);
      if (next > descriptors.byteSize()) {
        return -1;
      }
      if (u8(descriptors, at) == type && next - at - 4 == length
          && (u64(descriptors, at + 4) != 0 || (length == 16 && u64(descriptors, at + 12) != 0))) {
        return at + 4;
      }
      at = next;
    }
    return -1;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (uuid != null) {
      text.append("uuid ").append(uuid);
    }
    if (nguid != null) {
      text.append(text.isEmpty() ? "" : ", ").append("nguid ").append(nguid.toString().replace("-", ""));
    }
    if (eui64 != 0) {
      text.append(text.isEmpty() ? "" : ", ").append("eui64 %016x".formatted(eui64));
    }
    return text.isEmpty() ? "none" : text.toString();
  }
}
