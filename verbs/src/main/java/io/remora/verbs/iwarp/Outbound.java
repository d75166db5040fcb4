package io.remora.verbs.iwarp;

import io.remora.base.StreamSocket;
import io.remora.verbs.Access;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.KeyEntry;
import io.remora.verbs.soft.KeyTable;
import io.remora.verbs.soft.SendSlot;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The sending half of a connection: makes frames of requests, and of answers to the peer's reads and atomics. Belongs to its queue pair.
 *
 * <p>Messages are not interleaved; requests and answers take turns. Nothing is sent before {@link #release}, which is the way for the accepting end to wait for the peer's first frame.
 * Memory that was handed to TCP only in part is checked again before the rest follows.
 */
final class Outbound implements FrameWriter.Owner {
  /** The STag of the empty Write by which the connecting end begins; nobody looks at it. */
  private static final int START_KEY = 1;

  private final IwarpQueuePair queuePair;
  private final StreamSocket socket;
  private final FrameWriter frames;
  private final KeyTable keys;
  private final Answers answers;
  private final int maxPayload;
  /** Reads and atomics that the peer has not answered as a whole, in order: a ring. */
  private final @Nullable SendSlot[] reads;
  private int firstRead;
  private int readCount;
  /** What reads call their sinks: a number that no memory has. */
  private final int sinkKey;
  private int sendSequence = 1;
  private int readSequence = 1;
  private int responseSequence = 1;
  private @Nullable SendSlot request;
  private boolean answering;
  private boolean answersTurn;
  private boolean held = true;
  private boolean startPending;
  private boolean stopped;

  /**
   * The half of {@code queuePair} that sends to {@code socket}.
   *
   * @param maxFrameBytes the longest frame
   * @param maxReads reads and atomics that may be under way at once
   * @param answers what the peer asks for
   */
  Outbound(IwarpQueuePair queuePair, StreamSocket socket, MemorySegment ring, KeyTable keys, int maxFrameBytes,
      int maxReads, int sinkKey,
      Answers answers) {
    this.queuePair = queuePair;
    this.socket = socket;
    this.frames = new FrameWriter(ring, this);
    this.keys = keys;
    this.answers = answers;
    this.maxPayload = (maxFrameBytes - Rdmap.UNTAGGED_BYTES - Fpdu.CRC_BYTES) & ~7;
    this.reads = new SendSlot[Math.max(1, maxReads)];
    this.sinkKey = sinkKey;
  }

  /** Frames carry checksums. */
  void checksums() {
    frames.checksums();
  }

  /** The peer may be sent to. */
  void release() {
    held = false;
  }

  boolean held() {
    return held;
  }

  /** Begins a peer-to-peer connection with an empty Write, or an empty Read Request. */
  void start(boolean byRead) {
    long at = frames.header();
    if (byRead) {
      Fpdu.readRequest(frames.ring(), at, readSequence++, START_KEY, 0, 0, START_KEY, 0);
      startPending = true;
      frames.add(at, Rdmap.READ_REQUEST_BYTES, null, null, false);
    } else {
      Fpdu.tagged(frames.ring(), at, Rdmap.WRITE, true, 0, START_KEY, 0);
      frames.add(at, Rdmap.TAGGED_BYTES, null, null, false);
    }
  }

  /** Takes the answer to the empty Read Request of {@link #start}, which comes before all others; false when there is none to come. */
  boolean takeStart() {
    boolean was = startPending;
    startPending = false;
    return was;
  }

  // What the receiving half asks.

  /** The oldest read or atomic that is not answered, or null. */
  @Nullable
  SendSlot oldestRead() {
    return readCount == 0 ? null : reads[firstRead];
  }

  /** The oldest read or atomic is answered. */
  void answered() {
    reads[firstRead] = null;
    firstRead = firstRead + 1 == reads.length ? 0 : firstRead + 1;
    readCount--;
  }

  int sinkKey() {
    return sinkKey;
  }

  /** Where the sink of {@code slot} begins, in the peer's eyes. */
  static long sinkOffset(SendSlot slot) {
    return (slot.tag & 0x7fff_ffffL) << 32;
  }

  Answers answers() {
    return answers;
  }

  // Sending.

  /** Sends what there is, until TCP takes no more. */
  void pump() {
    while (!stopped && !held) {
      fill();
      if (stopped || frames.unsentBytes() == 0 || !flush()) {
        return;
      }
    }
  }

  /** TCP has room again. */
  void onWritable() {
    if (!stopped && stillValid()) {
      pump();
    }
  }

  /** False when TCP takes no more for now. */
  private boolean flush() {
    long taken = frames.flush(socket);
    if (taken < 0) {
      queuePair.lost();
    }
    return !stopped && frames.unsentBytes() == 0;
  }

  /** Stops; what is left of a frame that TCP has taken in part goes to {@code rest}, and its length is returned; -1: its memory is not there any more. */
  int stop(MemorySegment rest) {
    stopped = true;
    request = null;
    if (frames.frames() > 0 && !valid(0)) {
      frames.clear();
      return -1;
    }
    return frames.abandon(rest);
  }

  /** Stops in the middle of whatever it is. */
  void drop() {
    stopped = true;
    request = null;
    frames.clear();
  }

  private void fill() {
    while (frames.room() && !stopped) {
      SendSlot present = request;
      if (present != null) {
        segment(present);
      } else if (answering) {
        answer();
      } else if (!begin()) {
        return;
      }
    }
  }

  /** Begins the next message; false when there is none. */
  private boolean begin() {
    boolean pending = answers.next() != null;
    if (pending && answersTurn) {
      answersTurn = false;
      answering = true;
      return true;
    }
    SendSlot slot = queuePair.nextRequest();
    if (slot != null) {
      answersTurn = true;
      request(slot);
      return true;
    }
    answering = pending && !stopped;
    return answering;
  }

  private void request(SendSlot slot) {
    switch (slot.opcode()) {
      case READ -> read(slot);
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> atomic(slot);
      case SEND, SEND_WITH_IMMEDIATE, SEND_WITH_INVALIDATE -> {
        slot.tag = sendSequence++;
        request = slot;
      }
      case WRITE, WRITE_WITH_IMMEDIATE -> request = slot;
      case LOCAL_INVALIDATE, BIND_WINDOW -> throw new AssertionError(slot.opcode());
    }
  }

  /** Adds the next frame of a message or write. */
  private void segment(SendSlot slot) {
    long total = slot.pieces().totalBytes();
    long from = slot.progress;
    int length = (int) Math.min(total - from, maxPayload);
    boolean last = from + length == total;
    long at = frames.header();
    if (slot.opcode() == SendOpcode.WRITE || slot.opcode() == SendOpcode.WRITE_WITH_IMMEDIATE) {
      Fpdu.tagged(frames.ring(), at, Rdmap.WRITE, last, length, slot.remoteKey(), slot.remoteAddress() + from);
      frames.add(at, Rdmap.TAGGED_BYTES, slot, from, length, last && slot.opcode() == SendOpcode.WRITE);
    } else {
      int word = switch (slot.opcode()) {
        case SEND_WITH_INVALIDATE -> slot.invalidateKey();
        case SEND_WITH_IMMEDIATE -> slot.immediate();
        default -> 0;
      };
      Fpdu.untagged(frames.ring(), at, sendOpcode(slot), last, Rdmap.UNTAGGED_BYTES + length, word, (int) slot.tag,
          (int) from);
      frames.add(at, Rdmap.UNTAGGED_BYTES, slot, from, length, last);
    }
    slot.progress = from + length;
    if (last) {
      request = null;
      if (slot.opcode() == SendOpcode.WRITE_WITH_IMMEDIATE) {
        immediate(slot);
      }
    }
  }

  private static int sendOpcode(SendSlot slot) {
    return switch (slot.opcode()) {
      case SEND_WITH_INVALIDATE -> slot.solicited() ? Rdmap.SEND_SOLICITED_INVALIDATE : Rdmap.SEND_INVALIDATE;
      case SEND_WITH_IMMEDIATE -> slot.solicited() ? Rdmap.SEND_IMMEDIATE_SOLICITED : Rdmap.SEND_IMMEDIATE;
      default -> slot.solicited() ? Rdmap.SEND_SOLICITED : Rdmap.SEND;
    };
  }

  private void immediate(SendSlot slot) {
    long at = frames.header();
    Fpdu.immediate(frames.ring(), at, slot.solicited(), sendSequence++, slot.immediate());
    frames.add(at, Rdmap.IMMEDIATE_BYTES, slot, null, true);
  }

  private void read(SendSlot slot) {
    slot.tag = readSequence++;
    expect(slot);
    long at = frames.header();
    Fpdu.readRequest(frames.ring(), at, (int) slot.tag, sinkKey, sinkOffset(slot), (int) slot.pieces().totalBytes(),
        slot.remoteKey(),
        slot.remoteAddress());
    frames.add(at, Rdmap.READ_REQUEST_BYTES, null, null, false);
  }

  private void atomic(SendSlot slot) {
    slot.tag = readSequence++;
    expect(slot);
    boolean swaps = slot.opcode() == SendOpcode.COMPARE_AND_SWAP;
    long at = frames.header();
    Fpdu.atomicRequest(frames.ring(), at, (int) slot.tag, swaps ? Fpdu.ATOMIC_COMPARE_SWAP : Fpdu.ATOMIC_FETCH_ADD,
        (int) slot.tag,
        slot.remoteKey(), slot.remoteAddress(), swaps ? slot.swap() : slot.compareOrAdd(),
        swaps ? slot.compareOrAdd() : 0);
    frames.add(at, Rdmap.ATOMIC_REQUEST_BYTES, null, null, false);
  }

  private void expect(SendSlot slot) {
    int at = firstRead + readCount;
    reads[at < reads.length ? at : at - reads.length] = slot;
    readCount++;
  }

  /** Adds the next frame of the answer that is due. */
  private void answer() {
    Answers.Answer answer = answers.next();
    assert answer != null;
    long at = frames.header();
    if (answer.atomic) {
      Fpdu.atomicResponse(frames.ring(), at, responseSequence++, answer.sinkKey, answer.value);
      frames.add(at, Rdmap.ATOMIC_RESPONSE_BYTES, null, answer, true);
      answers.begun();
      answering = false;
      return;
    }
    long from = answer.progress;
    int length = (int) Math.min(answer.length - from, maxPayload);
    if (length > 0 && !readable(answer)) {
      drop();
      queuePair.withdrawn();
      return;
    }
    boolean last = from + length == answer.length;
    Fpdu.tagged(frames.ring(), at, Rdmap.READ_RESPONSE, last, length, answer.sinkKey, answer.sinkOffset + from);
    KeyEntry entry = length == 0 ? null : keys.find(answer.sourceKey);
    if (entry == null) {
      frames.add(at, Rdmap.TAGGED_BYTES, null, answer, last);
    } else {
      frames.add(at, Rdmap.TAGGED_BYTES, answer, entry.segment(), entry.offsetOf(answer.sourceOffset + from), length,
          last);
    }
    answer.progress = from + length;
    if (last) {
      answers.begun();
      answering = false;
    }
  }

  /** Whether the peer may still read what it asked for. */
  private boolean readable(Answers.Answer answer) {
    return keys.check(answer.sourceKey, queuePair, answer.sourceOffset, answer.length,
        Access.REMOTE_READ) == KeyTable.Fault.NONE;
  }

  /** Whether all memory that frames are gathered from is what it was when they were made; ends the connection if not. */
  private boolean stillValid() {
    for (int i = 0; i < frames.frames(); i++) {
      if (!valid(i)) {
        SendSlot slot = frames.slot(i);
        drop();
        if (slot != null) {
          queuePair.failed(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
        } else {
          queuePair.withdrawn();
        }
        return false;
      }
    }
    return true;
  }

  /** Whether the memory that frame {@code index} is gathered from is still there. */
  private boolean valid(int index) {
    SendSlot slot = frames.slot(index);
    Answers.Answer source = frames.source(index);
    return (slot == null || slot.pieces().open()) && (source == null || readable(source));
  }

  @Override
  public void onTaken(@Nullable SendSlot slot) {
    if (slot == null) {
      answers.sent();
    } else {
      queuePair.ended(slot);
    }
  }
}
