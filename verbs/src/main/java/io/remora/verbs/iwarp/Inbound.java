package io.remora.verbs.iwarp;

import io.remora.base.Sgl;
import io.remora.verbs.Access;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.KeyEntry;
import io.remora.verbs.soft.KeyTable;
import io.remora.verbs.soft.ReceiveSlot;
import io.remora.verbs.soft.SendSlot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a connection: takes frames, checks sequence, keys and bounds before a byte is placed, and carries them out. Belongs to its queue pair.
 *
 * <p>What is wrong ends the connection with a Terminate that says so, with the codes of RFC 5040 to 5044; a write without the right to write is refused as one with a wrong key, as siw does.
 */
final class Inbound implements FpduReader.Handler {
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private final IwarpQueuePair queuePair;
  private final Outbound outbound;
  private final KeyTable keys;
  /** 8 bytes for the result of an atomic. */
  private final MemorySegment scratch = MemorySegment.ofArray(new byte[8]);
  private int sendSequence = 1;
  private int readSequence = 1;
  private int responseSequence = 1;
  private @Nullable ReceiveSlot receiving;
  private int receivingOpcode;
  private long receivedBytes;
  private long writeBytes;
  private long lastWriteBytes;
  /** The present frame. */
  private int opcode;
  private boolean last;
  private int word;
  private int payload;
  private int key;
  private long address;
  /** It answers the empty read that began the connection. */
  private boolean startAnswer;

  Inbound(IwarpQueuePair queuePair, Outbound outbound, KeyTable keys) {
    this.queuePair = queuePair;
    this.outbound = outbound;
    this.keys = keys;
  }

  /** Gives up the receive that a message is filling, if any. */
  @Nullable
  ReceiveSlot abandon() {
    ReceiveSlot slot = receiving;
    receiving = null;
    return slot;
  }

  @Override
  public boolean onFrame(MemorySegment s, long at, int payloadBytes, Sgl sink) {
    int control = Fpdu.control(s, at);
    opcode = Fpdu.opcode(control);
    last = Fpdu.last(control);
    payload = payloadBytes;
    queuePair.onFrame();
    if (!Fpdu.tagged(control) && Fpdu.queue(s, at) != Rdmap.queue(opcode)) {
      return wrong(Terminate.QUEUE, s, at);
    }
    return switch (opcode) {
      case Rdmap.WRITE -> write(s, at, sink);
      case Rdmap.READ_REQUEST -> readRequest(s, at);
      case Rdmap.READ_RESPONSE -> readResponse(s, at, sink);
      case Rdmap.TERMINATE -> {
        queuePair.terminated(Terminate.cause(Fpdu.terminateWord(s, at)));
        yield false;
      }
      case Rdmap.IMMEDIATE, Rdmap.IMMEDIATE_SOLICITED -> immediate(s, at);
      case Rdmap.ATOMIC_REQUEST -> atomicRequest(s, at);
      case Rdmap.ATOMIC_RESPONSE -> atomicResponse(s, at);
      default -> message(s, at, sink);
    };
  }

  @Override
  public boolean onResume() {
    boolean valid = switch (opcode) {
      case Rdmap.WRITE -> keys.check(key, queuePair, address, payload, Access.REMOTE_WRITE) == KeyTable.Fault.NONE;
      case Rdmap.READ_RESPONSE -> {
        SendSlot slot = outbound.oldestRead();
        yield slot != null && slot.pieces().open();
      }
      default -> {
        ReceiveSlot slot = receiving;
        yield slot != null && slot.pieces().open();
      }
    };
    if (!valid) {
      queuePair.withdrawn();
    }
    return valid;
  }

  @Override
  public void onFrameEnd() {
    switch (opcode) {
      case Rdmap.WRITE -> {
        writeBytes += payload;
        if (last) {
          lastWriteBytes = writeBytes;
          writeBytes = 0;
        }
      }
      case Rdmap.READ_RESPONSE -> readEnd();
      default -> {
        if (Rdmap.isSend(opcode)) {
          messageEnd();
        }
      }
    }
  }

  @Override
  public void onBad(int cause, MemorySegment s, long at, int length) {
    queuePair.refuse(cause, "a frame of the peer's", s, at, length);
  }

  private boolean wrong(int cause, MemorySegment s, long at) {
    int header = Rdmap.tagged(opcode)
        ? Rdmap.TAGGED_BYTES
        : opcode == Rdmap.READ_REQUEST ? Rdmap.READ_REQUEST_BYTES : Rdmap.UNTAGGED_BYTES;
    queuePair.refuse(cause, "the peer's " + Rdmap.name(opcode), s, at, header);
    return false;
  }

  // Writes.

  private boolean write(MemorySegment s, long at, Sgl sink) {
    if (payload == 0) {
      return true;
    }
    key = Fpdu.sinkKey(s, at);
    address = Fpdu.sinkOffset(s, at);
    KeyTable.Fault fault = keys.check(key, queuePair, address, payload, Access.REMOTE_WRITE);
    KeyEntry entry = fault == KeyTable.Fault.NONE ? keys.find(key) : null;
    if (entry == null) {
      return wrong(switch (fault) {
        case KEY, ACCESS, NONE -> Terminate.TAGGED_KEY;
        case DOMAIN -> Terminate.TAGGED_NOT_ASSOCIATED;
        case WRAP -> Terminate.TAGGED_WRAP;
        case BOUNDS -> Terminate.TAGGED_BOUNDS;
      }, s, at);
    }
    sink.add(entry.segment(), entry.offsetOf(address), payload);
    return true;
  }

  // Messages.

  private boolean message(MemorySegment s, long at, Sgl sink) {
    if (Fpdu.sequence(s, at) != sendSequence) {
      return wrong(Terminate.SEQUENCE, s, at);
    }
    if (Integer.toUnsignedLong(Fpdu.messageOffset(s, at)) != receivedBytes) {
      return wrong(Terminate.MESSAGE_OFFSET, s, at);
    }
    ReceiveSlot slot = receiving;
    if (slot == null) {
      slot = queuePair.nextReceive();
      if (slot == null) {
        return wrong(Terminate.NO_RECEIVE, s, at);
      }
      receiving = slot;
      receivingOpcode = opcode;
    }
    if (opcode != receivingOpcode) {
      return wrong(Terminate.OPCODE, s, at);
    }
    if (!slot.pieces().open()) {
      receiving = null;
      queuePair.refuse(Terminate.LOCAL_CATASTROPHE, slot, WorkStatus.LOCAL_PROTECTION_ERROR, s, at);
      return false;
    }
    if (payload > slot.pieces().totalBytes() - receivedBytes) {
      receiving = null;
      queuePair.refuse(Terminate.TOO_LONG, slot, WorkStatus.LOCAL_LENGTH_ERROR, s, at);
      return false;
    }
    word = Fpdu.word(s, at);
    if (last && Rdmap.invalidates(opcode) && keys.invalidate(word, queuePair) != KeyTable.Fault.NONE) {
      receiving = null;
      queuePair.refuse(Terminate.CANNOT_INVALIDATE, slot, WorkStatus.LOCAL_OPERATION_ERROR, s, at);
      return false;
    }
    slot.pieces().addTo(sink, receivedBytes, payload);
    return true;
  }

  private void messageEnd() {
    ReceiveSlot slot = receiving;
    assert slot != null;
    receivedBytes += payload;
    if (last) {
      int length = (int) receivedBytes;
      receiving = null;
      receivedBytes = 0;
      sendSequence++;
      queuePair.message(slot, CompletionOpcode.RECEIVE, length, Rdmap.solicited(opcode));
      if (Rdmap.invalidates(opcode)) {
        queuePair.invalidated(word);
      } else if (Rdmap.hasImmediate(opcode)) {
        queuePair.immediate(word);
      }
    }
  }

  private boolean immediate(MemorySegment s, long at) {
    if (Fpdu.sequence(s, at) != sendSequence || receiving != null) {
      return wrong(Terminate.SEQUENCE, s, at);
    }
    if (!last || Fpdu.messageOffset(s, at) != 0) {
      return wrong(Terminate.MESSAGE_OFFSET, s, at);
    }
    ReceiveSlot slot = queuePair.nextReceive();
    if (slot == null) {
      return wrong(Terminate.NO_RECEIVE, s, at);
    }
    sendSequence++;
    int length = (int) Math.min(lastWriteBytes, Integer.MAX_VALUE);
    queuePair.message(slot, CompletionOpcode.RECEIVE_WRITE_WITH_IMMEDIATE, length, Rdmap.solicited(opcode));
    queuePair.immediate(Fpdu.immediate(s, at));
    return true;
  }

  // What the peer asks for.

  /** A place among the answers, or null after a refusal. */
  private Answers.@Nullable Answer asked(MemorySegment s, long at) {
    if (Fpdu.sequence(s, at) != readSequence) {
      wrong(Terminate.SEQUENCE, s, at);
      return null;
    }
    if (!last || Fpdu.messageOffset(s, at) != 0) {
      wrong(Terminate.MESSAGE_OFFSET, s, at);
      return null;
    }
    Answers.Answer answer = outbound.answers().add();
    if (answer == null) {
      wrong(Terminate.TOO_MANY_READS, s, at);
      return null;
    }
    readSequence++;
    return answer;
  }

  private boolean readRequest(MemorySegment s, long at) {
    int source = Fpdu.readSourceKey(s, at);
    long from = Fpdu.readSourceOffset(s, at);
    long length = Integer.toUnsignedLong(Fpdu.readLength(s, at));
    if (length > 0 && !mayUse(source, from, length, Access.REMOTE_READ, s, at)) {
      return false;
    }
    Answers.Answer answer = asked(s, at);
    if (answer == null) {
      return false;
    }
    answer.atomic = false;
    answer.sinkKey = Fpdu.readSinkKey(s, at);
    answer.sinkOffset = Fpdu.readSinkOffset(s, at);
    answer.sourceKey = source;
    answer.sourceOffset = from;
    answer.length = length;
    return true;
  }

  private boolean atomicRequest(MemorySegment s, long at) {
    int target = Fpdu.atomicKey(s, at);
    long to = Fpdu.atomicOffset(s, at);
    int code = Fpdu.atomicCode(s, at);
    if ((to & 7) != 0 || (code != Fpdu.ATOMIC_FETCH_ADD && code != Fpdu.ATOMIC_COMPARE_SWAP)) {
      return wrong(Terminate.UNSPECIFIED, s, at);
    }
    if (!mayUse(target, to, 8, Access.REMOTE_ATOMIC, s, at)) {
      return false;
    }
    Answers.Answer answer = asked(s, at);
    KeyEntry entry = keys.find(target);
    if (answer == null || entry == null) {
      return false;
    }
    answer.atomic = true;
    answer.sinkKey = Fpdu.atomicId(s, at);
    long offset = entry.offsetOf(to);
    long data = Fpdu.atomicData(s, at);
    answer.value = code == Fpdu.ATOMIC_FETCH_ADD
        ? (long) LONG.getAndAdd(entry.segment(), offset, data)
        : (long) LONG.compareAndExchange(entry.segment(), offset, Fpdu.atomicCompare(s, at), data);
    return true;
  }

  private boolean mayUse(int of, long from, long length, int access, MemorySegment s, long at) {
    KeyTable.Fault fault = keys.check(of, queuePair, from, length, access);
    return fault == KeyTable.Fault.NONE || wrong(switch (fault) {
      case KEY, NONE -> Terminate.READ_KEY;
      case DOMAIN -> Terminate.READ_NOT_ASSOCIATED;
      case WRAP -> Terminate.READ_WRAP;
      case BOUNDS -> Terminate.READ_BOUNDS;
      case ACCESS -> Terminate.READ_ACCESS;
    }, s, at);
  }

  // What this end has asked for.

  private boolean readResponse(MemorySegment s, long at, Sgl sink) {
    startAnswer = outbound.takeStart();
    if (startAnswer) {
      return (payload == 0 && last) || wrong(Terminate.TAGGED_BOUNDS, s, at);
    }
    SendSlot slot = outbound.oldestRead();
    if (slot == null || slot.opcode() != SendOpcode.READ || Fpdu.sinkKey(s, at) != outbound.sinkKey()) {
      return wrong(Terminate.TAGGED_KEY, s, at);
    }
    long total = slot.pieces().totalBytes();
    long from = slot.progress;
    if (Fpdu.sinkOffset(s, at) != Outbound.sinkOffset(slot) + from || payload > total - from
        || last != (from + payload == total)) {
      return wrong(Terminate.TAGGED_BOUNDS, s, at);
    }
    if (!slot.pieces().open()) {
      queuePair.failed(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
      return false;
    }
    slot.pieces().addTo(sink, from, payload);
    return true;
  }

  private void readEnd() {
    SendSlot slot = outbound.oldestRead();
    if (startAnswer || slot == null) {
      return;
    }
    slot.progress += payload;
    if (last) {
      outbound.answered();
      queuePair.ended(slot);
    }
  }

  private boolean atomicResponse(MemorySegment s, long at) {
    SendSlot slot = outbound.oldestRead();
    if (Fpdu.sequence(s, at) != responseSequence || !last) {
      return wrong(Terminate.SEQUENCE, s, at);
    }
    if (slot == null || !slot.opcode().isAtomic() || Fpdu.responseId(s, at) != (int) slot.tag) {
      return wrong(Terminate.UNSPECIFIED, s, at);
    }
    if (!slot.pieces().open()) {
      queuePair.failed(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
      return false;
    }
    responseSequence++;
    scratch.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, Fpdu.responseData(s, at));
    slot.pieces().copyFrom(0, scratch, 0, 8);
    outbound.answered();
    queuePair.ended(slot);
    return true;
  }
}
