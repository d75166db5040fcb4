package io.remora.base;

import org.jspecify.annotations.Nullable;

/**
 * One operation on a file or block device: a reusable object, so that submission and completion allocate nothing.
 *
 * <p>The submitter owns it, fills it in, hands it to {@code submit} and must leave it and the memory in its list alone until
 * the completion is called, on the same loop, and never inside {@code submit}. The one it was submitted to may hold further
 * state in {@link #link} and {@link #scratch} in between, and does not change any other field.
 */
public final class IoRequest {
  /** What to do. */
  public enum Op {
    /** Fill the list's memory from the device. */
    READ,
    /** Write the list's memory to the device; durable after a later {@link #FLUSH}, or at once with {@link IoRequest#fua}. */
    WRITE,
    /** Make every write that was completed before this was submitted durable. Offset and length mean nothing. */
    FLUSH,
    /** The range reads as zeros afterwards; its space may stay allocated. */
    WRITE_ZEROES,
    /** The range is not needed any more: its space is given back where that is possible, and it reads as zeros or as before. */
    DEALLOCATE,
    /** Compare the list's memory with the device: {@link Status#OK} or {@link Status#MISCOMPARE}. */
    COMPARE
  }

  /** Called once per submission, on the loop that submitted. May submit the same request again. */
  public interface Completion {
    /** The request has ended; {@link IoRequest#status} tells how. */
    void completed(IoRequest request);
  }

  /** What to do. */
  public Op op = Op.FLUSH;

  /** Where on the device, in bytes; a multiple of the device's block size. */
  public long offset;

  /** How much, in bytes; a multiple of the device's block size; the list's total for READ, WRITE and COMPARE. */
  public long length;

  /** Force unit access: a write or write-zeroes is durable when it completes. */
  public boolean fua;

  /** The memory to read into, write from or compare with; owned by the submitter. */
  public final Sgl sgl = new Sgl();

  /** How it ended; of no meaning before. */
  public Status status = Status.OK;

  /** For the submitter; nobody else touches it. */
  public @Nullable Object owner;

  /** For the one it was submitted to: a place in its queue. */
  public @Nullable IoRequest link;

  /** For the one it was submitted to. */
  public long scratch;

  private final Completion completion;
  private boolean pending;

  /** A request that reports to {@code completion} each time. */
  public IoRequest(Completion completion) {
    this.completion = completion;
  }

  /** Sets operation and range; clears {@link #fua} and the list. */
  public IoRequest prepare(Op op, long offset, long length) {
    assert !pending : "request in flight: " + this;
    this.op = op;
    this.offset = offset;
    this.length = length;
    this.fua = false;
    sgl.clear();
    return this;
  }

  /** For devices: it has been taken. Every {@code submit} calls this first. */
  public void begin() {
    assert !pending : "submitted twice: " + this;
    pending = true;
  }

  /** For devices: it has ended. The last access of the device to it. */
  public void complete(Status status) {
    assert pending : "completed twice: " + this;
    pending = false;
    this.status = status;
    completion.completed(this);
  }

  /** Whether it is between {@code submit} and its completion. */
  public boolean pending() {
    return pending;
  }

  /** Whether it carries data in its list. */
  public boolean hasData() {
    return op == Op.READ || op == Op.WRITE || op == Op.COMPARE;
  }

  @Override
  public String toString() {
    return op + " " + offset + "+" + length + (fua ? " FUA" : "");
  }
}
