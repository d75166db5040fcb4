package io.remora.nvme.target;

/**
 * What hosts have done, since the namespace was added.
 *
 * @param reads completed Read commands
 * @param readBytes what they brought, in bytes
 * @param writes completed Write commands
 * @param writeBytes what they took, in bytes
 * @param mediaErrors commands that ended with an error of the medium
 */
public record IoCounts(long reads, long readBytes, long writes, long writeBytes, long mediaErrors) {
  /** Nothing yet. */
  public static final IoCounts NONE = new IoCounts(0, 0, 0, 0, 0);

  /** The sum of both. */
  public IoCounts plus(IoCounts other) {
    return new IoCounts(reads + other.reads, readBytes + other.readBytes, writes + other.writes,
        writeBytes + other.writeBytes, mediaErrors + other.mediaErrors);
  }
}
