package io.remora.verbs.tool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * An end of the first connection, over which both ends agree: the client says something and the server answers in as many bytes, step by step; neither says two things in a row. Belongs to
 * its context's loop.
 */
abstract class PerftestControl extends PerftestLink {
  /** How long the other end may take for a message, or for the second connection. */
  private static final long SILENCE_NS = 60_000_000_000L;
  private static final int RECEIVES = 2;
  private static final int SENDS = 2;
  private static final int SLOT_BYTES = 64;
  private static final int NOTHING = -1;

  private final boolean asks;
  private final List<PerftestStep> steps;
  private final MemoryRegion messages;
  private final PerftestTalk talk = new PerftestTalk(this::offered, this::report);
  private final ReceiveRequest receive = new ReceiveRequest(1);
  private final SendRequest send = new SendRequest(1);
  private final Timer silence;
  private int at;
  private int sent;
  /** The slot with a message that came before its step. */
  private int held = NOTHING;

  /**
   * Not connected.
   *
   * @param asks whether it is the client's
   */
  PerftestControl(Context context, Operation operation, boolean asks) {
    super(context, SENDS, RECEIVES);
    this.asks = asks;
    this.steps = PerftestStep.of(operation);
    this.silence = context.loop().timer(() -> end(Status.TIMED_OUT, "the other end is silent at step " + step()));
    this.messages = allocate((long) (RECEIVES + SENDS) * SLOT_BYTES, Access.LOCAL_WRITE);
  }

  // What the subclass has to say.

  /** This end's memory, once there is a second connection. */
  abstract PerftestMessages.Memory offered();

  /** What this end says of the run. */
  abstract PerftestReport report();

  /** {@link PerftestStep#CONNECT}: when the second connection stands, {@link #proceed}. Throws {@link RemoraException} when it cannot be made. */
  abstract void connecting();

  /** {@link PerftestStep#RUN}: when it has been done, {@link #proceed}. Throws {@link RemoraException} when it cannot be done. */
  abstract void running();

  /** The server has answered, the client has read the last message. */
  abstract void finished();

  /** What has been heard. */
  PerftestTalk talk() {
    return talk;
  }

  /** Where it stands; the last one for ever after it. */
  PerftestStep step() {
    return steps.get(Math.min(at, steps.size() - 1));
  }

  /** Whether all has been said. */
  boolean isFinished() {
    return at == steps.size();
  }

  /** What is done elsewhere has been done. */
  void proceed() {
    if (!ended()) {
      at++;
      enter();
      int slot = held;
      if (slot != NOTHING && !ended()) {
        held = NOTHING;
        take(slot);
      }
    }
  }

  @Override
  void ready() {
    for (int slot = 0; slot < RECEIVES; slot++) {
      postReceive(slot);
    }
    silence.arm(SILENCE_NS);
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    if (asks) {
      enter();
    }
  }

  private void enter() {
    if (isFinished()) {
      silence.cancel();
      finished();
    } else if (step().bytes() == 0) {
      act();
    } else {
      silence.arm(SILENCE_NS);
      if (asks) {
        say();
      }
    }
  }

  private void act() {
    try {
      if (step() == PerftestStep.CONNECT) {
        silence.arm(SILENCE_NS);
        connecting();
      } else {
        // For as long as it takes.
        silence.cancel();
        running();
      }
    } catch (RemoraException e) {
      end(e.status(), e.getMessage());
    }
  }

  private void say() {
    long offset = (long) (RECEIVES + sent % SENDS) * SLOT_BYTES;
    sent++;
    MemorySegment message = messages.segment().asSlice(offset, step().bytes());
    talk.write(step(), message);
    post(send.piece(messages, offset, step().bytes()).send());
  }

  @Override
  void completed(WorkCompletions completions, int index) {
    if (completions.opcode(index) != CompletionOpcode.RECEIVE) {
      return;
    }
    int slot = (int) completions.id(index);
    int length = completions.lengthBytes(index);
    if (isFinished() || held != NOTHING) {
      end(Status.PROTOCOL_ERROR, "the other end says more after step " + step());
    } else if (step().bytes() == 0) {
      int due = steps.get(at + 1).bytes();
      if (asks || length != due) {
        end(Status.PROTOCOL_ERROR, "a message of " + length + " bytes at step " + step());
      } else {
        held = slot;
      }
    } else if (length != step().bytes()) {
      end(Status.PROTOCOL_ERROR,
          "a message of " + length + " bytes instead of " + step().bytes() + " at step " + step());
    } else {
      take(slot);
    }
  }

  private void take(int slot) {
    try {
      talk.read(step(), messages.segment().asSlice((long) slot * SLOT_BYTES, step().bytes()));
      postReceive(slot);
      if (!asks && !ended()) {
        say();
      }
    } catch (RemoraException e) {
      end(e.status(), e.getMessage());
    }
    if (!ended()) {
      at++;
      enter();
    }
  }

  private void postReceive(int slot) {
    post(receive.id(slot).piece(messages, (long) slot * SLOT_BYTES, PerftestMessages.MAX_BYTES));
  }

  @Override
  void stop() {
    silence.cancel();
  }
}
