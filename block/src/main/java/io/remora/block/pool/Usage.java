package io.remora.block.pool;

/**
 * Where the space of a pool, or of one volume, is. {@code usedBytes + reservedBytes + availableBytes == capacityBytes}, always.
 *
 * @param capacityBytes all clusters that can hold data; of a volume: all its clusters
 * @param usedBytes clusters that hold data of volumes
 * @param reservedBytes clusters promised to thick volumes and not used yet
 * @param availableBytes the rest
 * @param damagedBytes clusters that are no part of the capacity: the disk fails there, or nobody knows whose they are
 */
public record Usage(long capacityBytes, long usedBytes, long reservedBytes, long availableBytes, long damagedBytes) {}
