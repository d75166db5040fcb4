package io.remora.verbs;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Completions as {@link CompletionQueue#poll} hands them out: columns that are filled anew by every poll. One thread at a time; allocates nothing
 * after construction. With a status other than {@link WorkStatus#SUCCESS} only id, status, queue pair and vendor error mean something.
 */
public final class WorkCompletions {
  private final long[] ids;
  private final WorkStatus[] statuses;
  private final @Nullable CompletionOpcode[] opcodes;
  private final int[] lengths;
  private final int[] queuePairs;
  private final int[] sources;
  private final int[] values;
  private final byte[] flags;
  private final int[] vendorErrors;
  private int count;

  private static final byte IMMEDIATE = 1;
  private static final byte INVALIDATED = 2;

  /** Room for {@code capacity} completions, at least 1. */
  public WorkCompletions(int capacity) {
    this.ids = new long[capacity];
    this.statuses = new WorkStatus[capacity];
    Arrays.fill(statuses, WorkStatus.SUCCESS);
    this.opcodes = new CompletionOpcode[capacity];
    this.lengths = new int[capacity];
    this.queuePairs = new int[capacity];
    this.sources = new int[capacity];
    this.values = new int[capacity];
    this.flags = new byte[capacity];
    this.vendorErrors = new int[capacity];
  }

  /** How many it can hold. */
  public int capacity() {
    return ids.length;
  }

  /** How many the last poll brought. */
  public int count() {
    return count;
  }

  /** The request's own id. */
  public long id(int index) {
    return ids[index];
  }

  /** How it ended. */
  public WorkStatus status(int index) {
    return statuses[index];
  }

  /** Whether it succeeded. */
  public boolean ok(int index) {
    return statuses[index] == WorkStatus.SUCCESS;
  }

  /** What has completed. */
  public CompletionOpcode opcode(int index) {
    CompletionOpcode opcode = opcodes[index];
    assert opcode != null;
    return opcode;
  }

  /** Bytes of the message that came, or that were read. */
  public int lengthBytes(int index) {
    return lengths[index];
  }

  /** The number of this end's queue pair. */
  public int queuePair(int index) {
    return queuePairs[index];
  }

  /** Of a datagram: the number of the queue pair that sent it. */
  public int sourceQueuePair(int index) {
    return sources[index];
  }

  /** Whether 32 bits came with it: {@link #immediate}. */
  public boolean hasImmediate(int index) {
    return (flags[index] & IMMEDIATE) != 0;
  }

  /** The 32 bits that came with it. */
  public int immediate(int index) {
    return values[index];
  }

  /** Whether it made a key of this end's invalid: {@link #invalidatedKey}. */
  public boolean hasInvalidatedKey(int index) {
    return (flags[index] & INVALIDATED) != 0;
  }

  /** The key that is invalid now. */
  public int invalidatedKey(int index) {
    return values[index];
  }

  /** What the device says more of a failure; a number of its own. */
  public int vendorError(int index) {
    return vendorErrors[index];
  }

  // For providers.

  /** Forgets all. */
  public void clear() {
    count = 0;
  }

  /** Whether no more fit. */
  public boolean full() {
    return count == ids.length;
  }

  /** Appends one; the opcode may be left out of a failure. Then {@link #immediateOfLast} and the like. */
  public void add(long id, WorkStatus status, @Nullable CompletionOpcode opcode, int lengthBytes, int queuePair) {
    ids[count] = id;
    statuses[count] = status;
    opcodes[count] = opcode;
    lengths[count] = lengthBytes;
    queuePairs[count] = queuePair;
    sources[count] = 0;
    values[count] = 0;
    flags[count] = 0;
    vendorErrors[count] = 0;
    count++;
  }

  /** The last one brought 32 bits. */
  public void immediateOfLast(int value) {
    values[count - 1] = value;
    flags[count - 1] |= IMMEDIATE;
  }

  /** The last one made a key invalid. */
  public void invalidatedKeyOfLast(int key) {
    values[count - 1] = key;
    flags[count - 1] |= INVALIDATED;
  }

  /** Who sent the last one. */
  public void sourceOfLast(int queuePair) {
    sources[count - 1] = queuePair;
  }

  /** More of the last one's failure. */
  public void vendorErrorOfLast(int error) {
    vendorErrors[count - 1] = error;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : ", ").append(ids[i]).append(' ')
          .append(statuses[i] == WorkStatus.SUCCESS ? String.valueOf(opcodes[i]) : statuses[i].text());
    }
    return text.append(']').toString();
  }
}
