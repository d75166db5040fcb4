package io.remora.block.pool;

/**
 * Something that an inspection has noticed.
 *
 * @param where the disk, or the pool
 * @param what one sentence for people
 */
public record Finding(Severity severity, String where, String what) {
  /** What follows from it. */
  public enum Severity {
    /** A crash leaves such things, and the next import settles them. */
    SETTLES,
    /** Nothing is lost as long as nothing else happens: one of two copies serves, and the other can be written anew. */
    REPAIRABLE,
    /** Something is missing, and nobody can bring it back from these disks. */
    LOST
  }

  @Override
  public String toString() {
    return where + ": " + what;
  }
}
