package io.remora.verbs.iwarp;

import org.jspecify.annotations.Nullable;

/** What the peer has asked for and has not got yet, in order: reads, and the results of atomics. As many as were agreed on. Belongs to its queue pair. */
final class Answers {
  /** One of them; reused. */
  static final class Answer {
    boolean atomic;
    /** Where the peer wants it; of an atomic the request's id in {@code sinkKey}. */
    int sinkKey;
    long sinkOffset;
    /** What is read. */
    int sourceKey;
    long sourceOffset;
    long length;
    /** How much of it has been begun to be sent, in bytes. */
    long progress;
    /** What an atomic found. */
    long value;
  }

  private final Answer[] ring;
  private int first;
  private int begun;
  private int count;

  /** Room for {@code max}, 0 or more. */
  Answers(int max) {
    ring = new Answer[max];
    for (int i = 0; i < max; i++) {
      ring[i] = new Answer();
    }
  }

  /** A place for one more; null when the peer has asked for too many. */
  @Nullable
  Answer add() {
    if (count == ring.length) {
      return null;
    }
    Answer answer = ring[(first + count) % ring.length];
    answer.progress = 0;
    count++;
    return answer;
  }

  /** The first that has not been begun or is not at its end; null when there is none. */
  @Nullable
  Answer next() {
    return begun == count ? null : ring[(first + begun) % ring.length];
  }

  /** All of {@link #next} is on its way. */
  void begun() {
    begun++;
  }

  /** TCP has taken all of the oldest one. */
  void sent() {
    first = (first + 1) % ring.length;
    begun--;
    count--;
  }
}
