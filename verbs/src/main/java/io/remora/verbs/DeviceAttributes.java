package io.remora.verbs;

import java.util.Set;

/**
 * What a device offers ({@code ibv_device_attr}).
 *
 * @param provider whose it is: {@code ibverbs}, {@code iwarp}, {@code shm}, {@code sim}
 * @param name its name, for example {@code mlx5_0}
 * @param capabilities what it can do
 * @param maxQueuePairs queue pairs of one context
 * @param maxWorkRequests requests of one queue
 * @param maxPieces pieces of one request
 * @param maxReadPieces pieces of a {@link SendOpcode#READ}
 * @param maxInlineBytes the longest inline data
 * @param maxCompletions entries of a completion queue
 * @param maxRegions memory regions and windows of one context
 * @param maxReads reads and atomics of one queue pair that may be under way at once, at either end
 * @param maxMessageBytes the longest message, read or write
 * @param maxDatagramBytes the longest datagram; 0 without {@link Capability#UD}
 * @param maxPrivateDataBytes what a connection request may carry
 */
public record DeviceAttributes(String provider, String name, Set<Capability> capabilities, int maxQueuePairs,
    int maxWorkRequests,
    int maxPieces, int maxReadPieces, int maxInlineBytes, int maxCompletions, int maxRegions, int maxReads,
    long maxMessageBytes,
    int maxDatagramBytes, int maxPrivateDataBytes) {
  /** Keeps a copy of the set. */
  public DeviceAttributes {
    capabilities = Set.copyOf(capabilities);
  }

  /** Whether it can do that. */
  public boolean can(Capability capability) {
    return capabilities.contains(capability);
  }
}
