package io.remora.engine;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a volume is.
 *
 * @param name its name, unique in its pool
 * @param uuid its identity
 * @param pool the name of its pool
 * @param sizeBytes exactly what was asked for
 * @param blockBytes the unit of I/O
 * @param thin whether it takes clusters as they are written
 * @param usedBytes the clusters it holds
 * @param publication where it is published; null when it is not
 */
public record VolumeInfo(String name, UUID uuid, String pool, long sizeBytes, int blockBytes, boolean thin,
    long usedBytes, @Nullable PublicationInfo publication) {}
