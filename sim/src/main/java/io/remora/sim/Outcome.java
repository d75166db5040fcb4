package io.remora.sim;

import java.util.List;

/**
 * How a run ended. The same seed and the same code give the same outcome.
 *
 * @param seed what repeats it
 * @param failure what did not hold; empty when all held
 * @param shape what the seed has chosen, for people
 * @param enemies what befell the run, by name
 * @param requests how many requests hosts have sent
 * @param events how many events happened
 * @param virtualNs how long it took, in virtual nanoseconds
 * @param traceHash a hash over all that has happened, down to each byte on disks and network
 */
public record Outcome(long seed, String failure, String shape, List<String> enemies, long requests, long events,
    long virtualNs, long traceHash) {
  /** Whether all held. */
  public boolean ok() {
    return failure.isEmpty();
  }
}
