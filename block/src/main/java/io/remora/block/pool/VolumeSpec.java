package io.remora.block.pool;

import java.util.Map;
import java.util.UUID;

/**
 * A volume to be made.
 *
 * @param name of 1 to 128 bytes, the only one of its kind in the pool
 * @param sizeBytes exactly so large it will be; a multiple of the block size
 * @param blockSize 512 to 4096, a power of two, not smaller than that of any disk; 0: 4096 when the size is a multiple of it, else
 *     the largest of the disks
 * @param thin whether it takes space as it is written; else its space is reserved at once
 * @param properties small texts to be stored with it, some 290 bytes together
 */
public record VolumeSpec(String name, UUID uuid, long sizeBytes, int blockSize, boolean thin,
    Map<String, String> properties) {
  /** Copies the properties. */
  public VolumeSpec {
    properties = Map.copyOf(properties);
  }

  /** A thin volume without properties. */
  public static VolumeSpec thin(String name, UUID uuid, long sizeBytes) {
    return new VolumeSpec(name, uuid, sizeBytes, 0, true, Map.of());
  }

  /** A thick volume without properties. */
  public static VolumeSpec thick(String name, UUID uuid, long sizeBytes) {
    return new VolumeSpec(name, uuid, sizeBytes, 0, false, Map.of());
  }
}
