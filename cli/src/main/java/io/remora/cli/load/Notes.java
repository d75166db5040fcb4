package io.remora.cli.load;

/**
 * What a verifying job knows of each of its blocks: how often it was written, and whether a request is in flight on it (two at
 * once would leave open which one came last). One loop.
 */
final class Notes {
  private static final int BUSY = 1 << 31;

  private final int[] words;

  Notes(int blocks) {
    this.words = new int[blocks];
  }

  /** How many blocks it knows. */
  int blocks() {
    return words.length;
  }

  /** Takes block {@code index}, or the next one that is free, round and round; -1 when none is. */
  int take(int index) {
    for (int step = 0, at = index; step < words.length; step++, at = at + 1 == words.length ? 0 : at + 1) {
      if (words[at] >= 0) {
        words[at] |= BUSY;
        return at;
      }
    }
    return -1;
  }

  /** Gives it back. */
  void release(int index) {
    words[index] &= ~BUSY;
  }

  /** How often it was written; 0: never. */
  int generation(int index) {
    return words[index] & ~BUSY;
  }

  /** Another write begins; returns its number. Starts over after two thousand million. */
  int nextGeneration(int index) {
    int next = Math.max(1, (generation(index) + 1) & ~BUSY);
    words[index] = (words[index] & BUSY) | next;
    return next;
  }
}
