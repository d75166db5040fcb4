package io.remora.verbs.tool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** An end that says whatever the test wants. Belongs to its context's loop. */
final class PerftestRawEnd extends PerftestLink {
  private static final int SLOTS = PerftestJob.DEFAULT_RECEIVES;
  private static final int SLOT_BYTES = 256;

  private final MemoryRegion messages;
  private final BiConsumer<PerftestRawEnd, Integer> onMessage;
  private int sent;
  int heard;
  boolean established;
  @Nullable
  Status end;

  /** {@code onMessage} hears of each message, with its number from 1. */
  PerftestRawEnd(Context context, BiConsumer<PerftestRawEnd, Integer> onMessage) {
    super(context, SLOTS, SLOTS);
    this.onMessage = onMessage;
    this.messages = allocate(2L * SLOTS * SLOT_BYTES, Access.LOCAL_WRITE);
  }

  @Override
  void ready() {
    for (int slot = 0; slot < SLOTS; slot++) {
      receive(slot);
    }
  }

  private void receive(int slot) {
    post(new ReceiveRequest().id(slot).piece(messages, (long) slot * SLOT_BYTES, SLOT_BYTES));
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    established = true;
  }

  /** What the last message said. */
  MemorySegment last() {
    return messages.segment().asSlice((long) lastSlot * SLOT_BYTES, SLOT_BYTES);
  }

  private int lastSlot;

  void say(byte[] message) {
    long at = (long) (SLOTS + sent++ % SLOTS) * SLOT_BYTES;
    MemorySegment.copy(message, 0, messages.segment(), JAVA_BYTE, at, message.length);
    post(new SendRequest().piece(messages, at, message.length).send());
  }

  /** What an honest end says. */
  void say(PerftestStep step) {
    say(honest(step));
  }

  static byte[] honest(PerftestStep step) {
    MemorySegment message = MemorySegment.ofArray(new byte[step.bytes()]);
    new PerftestTalk(() -> PerftestMessages.Memory.NONE, () -> PerftestReport.NONE).write(step, message);
    return message.toArray(JAVA_BYTE);
  }

  /** Writes an int to the peer's memory. */
  void write(PerftestMessages.Memory to, int value) {
    long at = (long) (SLOTS + sent++ % SLOTS) * SLOT_BYTES;
    messages.segment().set(java.lang.foreign.ValueLayout.JAVA_INT, at, value);
    post(new SendRequest().piece(messages, at, Integer.BYTES).write(to.address(), to.key()));
  }

  @Override
  void completed(WorkCompletions completions, int index) {
    if (completions.opcode(index) == CompletionOpcode.RECEIVE) {
      heard++;
      lastSlot = (int) completions.id(index);
      onMessage.accept(this, heard);
      receive(lastSlot);
    }
  }

  @Override
  void onEnd(Status reason, String text) {
    end = reason;
  }
}
