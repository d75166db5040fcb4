package io.remora.block.pool;

import static io.remora.block.pool.Layout.U16;
import static io.remora.block.pool.Layout.U32;
import static io.remora.block.pool.Layout.U64;
import static io.remora.block.pool.Layout.U8;

import io.remora.base.Check;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A volume as its slot holds it.
 *
 * @param number never used twice in a pool
 * @param properties small texts of those who use the volume
 */
record VolumeRecord(int number, UUID uuid, String name, long sizeBytes, int blockSize, boolean thin, long createdMs,
    Map<String, String> properties) {
  /** What a slot holds besides a volume. */
  static final byte EMPTY = 0;
  static final byte USED = 1;
  static final byte DELETED = 2;

  private static final int STATE_AT = 20;
  private static final int NAME_AT = 80;
  private static final int PROPERTIES_AT = 216;
  private static final int PROPERTIES_BYTES = Layout.SECTOR_BYTES - PROPERTIES_AT;
  private static final int THIN = 1;

  VolumeRecord withSize(long newSizeBytes) {
    return new VolumeRecord(number, uuid, name, newSizeBytes, blockSize, thin, createdMs, properties);
  }

  VolumeRecord withProperties(Map<String, String> newProperties) {
    return new VolumeRecord(number, uuid, name, sizeBytes, blockSize, thin, createdMs, newProperties);
  }

  /** Throws INVALID unless name and properties fit their places. */
  void check() {
    int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
    Check.argument(nameBytes >= 1 && nameBytes <= Layout.MAX_NAME_BYTES, "volume name '%s' must have 1 to %d bytes",
        name, Layout.MAX_NAME_BYTES);
    Check.argument(propertyText().length <= PROPERTIES_BYTES - 2,
        "the properties of volume %s take %d bytes, %d at most", name, propertyText().length, PROPERTIES_BYTES - 2);
    properties.forEach((key, value) -> Check.argument(!key.isEmpty() && (key + value).indexOf(0) < 0,
        "property '%s' of volume %s has no name or holds a zero byte", key, name));
  }

  /** Writes it behind the header of the sector at {@code at}. */
  void encode(MemorySegment page, long at) {
    page.asSlice(at + Layout.SECTOR_HEADER_BYTES, Layout.SECTOR_BYTES - Layout.SECTOR_HEADER_BYTES).fill((byte) 0);
    page.set(U32, at + 16, number);
    page.set(U8, at + STATE_AT, USED);
    page.set(U8, at + 21, (byte) (thin ? THIN : 0));
    page.set(U16, at + 22, (short) blockSize);
    Label.putUuid(page, at + 24, uuid);
    page.set(U64, at + 40, sizeBytes);
    page.set(U64, at + 48, createdMs);
    putText(page, at + NAME_AT, name.getBytes(StandardCharsets.UTF_8));
    putText(page, at + PROPERTIES_AT, propertyText());
  }

  /** Writes that volume {@code number} was here. */
  static void encodeDeleted(MemorySegment page, long at, int number) {
    page.asSlice(at + Layout.SECTOR_HEADER_BYTES, Layout.SECTOR_BYTES - Layout.SECTOR_HEADER_BYTES).fill((byte) 0);
    page.set(U32, at + 16, number);
    page.set(U8, at + STATE_AT, DELETED);
  }

  static byte state(MemorySegment page, long at) {
    return page.get(U8, at + STATE_AT);
  }

  static int number(MemorySegment page, long at) {
    return page.get(U32, at + 16);
  }

  /** The volume in the slot at {@code at}, whose checksum holds; null when it makes no sense. */
  static @Nullable VolumeRecord decode(MemorySegment page, long at) {
    String name = Label.text(page, at + NAME_AT, Layout.MAX_NAME_BYTES);
    String text = Label.text(page, at + PROPERTIES_AT, PROPERTIES_BYTES - 2);
    int blockSize = Short.toUnsignedInt(page.get(U16, at + 22));
    long sizeBytes = page.get(U64, at + 40);
    int number = page.get(U32, at + 16);
    if (name == null || text == null || blockSize < 512 || blockSize > 4096 || Integer.bitCount(blockSize) != 1
        || sizeBytes <= 0 || sizeBytes % blockSize != 0 || number == 0) {
      return null;
    }
    Map<String, String> properties = new TreeMap<>();
    String[] parts = text.split("\0", -1);
    for (int i = 0; i + 1 < parts.length; i += 2) {
      properties.put(parts[i], parts[i + 1]);
    }
    return new VolumeRecord(number, Label.uuid(page, at + 24), name, sizeBytes, blockSize,
        (page.get(U8, at + 21) & THIN) != 0, page.get(U64, at + 48), Map.copyOf(properties));
  }

  private byte[] propertyText() {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(properties).forEach((key, value) -> text.append(key).append('\0').append(value).append('\0'));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void putText(MemorySegment page, long at, byte[] text) {
    page.set(U16, at, (short) text.length);
    MemorySegment.copy(text, 0, page, U8, at + 2, text.length);
  }
}
