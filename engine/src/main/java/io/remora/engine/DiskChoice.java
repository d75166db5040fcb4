package io.remora.engine;

import java.nio.file.Path;

/**
 * A disk or file to put a pool on.
 *
 * @param path where it is
 * @param fileSizeBytes how long to make it when it is a regular file; 0: as it is
 */
public record DiskChoice(Path path, long fileSizeBytes) {}
