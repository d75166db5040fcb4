package io.remora.verbs;

import org.jspecify.annotations.Nullable;

/**
 * What a queue pair is to be.
 *
 * @param type its service
 * @param sendCompletions where sends show when they end
 * @param receiveCompletions where receives show
 * @param sharedReceives where it takes its receives from; null: a queue of its own
 * @param maxSends requests in the send queue, 1 to {@link DeviceAttributes#maxWorkRequests}
 * @param maxReceives requests in its own receive queue, 0 with a shared one
 * @param maxPieces the most pieces of a request, 1 to {@link DeviceAttributes#maxPieces}
 * @param maxInlineBytes the longest inline data, 0 to {@link DeviceAttributes#maxInlineBytes}
 */
public record QueuePairConfig(QueuePairType type, CompletionQueue sendCompletions, CompletionQueue receiveCompletions,
    @Nullable SharedReceiveQueue sharedReceives, int maxSends, int maxReceives, int maxPieces, int maxInlineBytes) {
  /** A reliable connected one with its own receives, requests of up to four pieces and no inline data. */
  public static QueuePairConfig rc(CompletionQueue completions, int maxSends, int maxReceives) {
    return new QueuePairConfig(QueuePairType.RC, completions, completions, null, maxSends, maxReceives, 4, 0);
  }

  /** This with another type. */
  public QueuePairConfig withType(QueuePairType other) {
    return new QueuePairConfig(other, sendCompletions, receiveCompletions, sharedReceives, maxSends, maxReceives,
        maxPieces,
        maxInlineBytes);
  }

  /** This with receives from {@code queue}. */
  public QueuePairConfig withSharedReceives(SharedReceiveQueue queue) {
    return new QueuePairConfig(type, sendCompletions, receiveCompletions, queue, maxSends, 0, maxPieces,
        maxInlineBytes);
  }

  /** This with other bounds on one request. */
  public QueuePairConfig withRequests(int pieces, int inlineBytes) {
    return new QueuePairConfig(type, sendCompletions, receiveCompletions, sharedReceives, maxSends, maxReceives, pieces,
        inlineBytes);
  }
}
