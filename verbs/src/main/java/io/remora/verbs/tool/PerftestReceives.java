package io.remora.verbs.tool;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Receives the messages of {@code ib_send_bw}, and counts them for a client that has to know. Looks whether each is as the one before that came from the same place of the client's. Belongs to
 * its context's loop; allocates nothing per message.
 */
final class PerftestReceives extends PerftestTarget {
  private static final int ALIGNMENT = 64;
  /** The id of the request that tells the client; receives have those from 0 on. */
  private static final long TELLS = -1;

  private final PerftestJob job;
  private final PerftestSlots slots;
  private final int stride;
  private final MemoryRegion messages;
  private final MemoryRegion count;
  private final ReceiveRequest receive = new ReceiveRequest(1);
  private final SendRequest tell = new SendRequest(1);
  private final @Nullable MemorySegment[] first;
  private final boolean credits;
  private PerftestMessages.Memory counter = PerftestMessages.Memory.NONE;
  private @Nullable Runnable whenDone;
  private boolean telling;
  private long received;
  private long told;
  private long begunNs;
  private long lastNs;

  PerftestReceives(Context context, PerftestJob job, PerftestSlots slots, BiConsumer<Status, String> whenEnded) {
    super(context, 1, job.window(), whenEnded);
    this.job = job;
    this.slots = slots;
    this.stride = Math.ceilDiv(job.bytes(), ALIGNMENT) * ALIGNMENT;
    this.messages = allocate((long) stride * job.window(), Access.LOCAL_WRITE);
    this.count = allocate(Integer.BYTES, Access.LOCAL_WRITE);
    this.first = new MemorySegment[slots.count()];
    this.credits = !context.attributes().can(Capability.RECEIVER_NOT_READY);
  }

  @Override
  PerftestMessages.Memory offered() {
    // The client has no use for it.
    return new PerftestMessages.Memory(count.address(), 0, context().attributes().maxReads(), number());
  }

  @Override
  void ready() {
    for (int place = 0; place < job.window(); place++) {
      post(place);
    }
  }

  private void post(int place) {
    post(receive.id(place).piece(messages, (long) place * stride, job.bytes()));
  }

  @Override
  void begin(PerftestMessages.Memory client, Runnable done) {
    counter = client.holding(Integer.BYTES);
    whenDone = done;
    lookWhetherDone();
  }

  private void lookWhetherDone() {
    Runnable done = whenDone;
    if (done != null && received == job.iterations()) {
      whenDone = null;
      done.run();
    }
  }

  @Override
  void completed(WorkCompletions completions, int index) {
    if (completions.opcode(index) != CompletionOpcode.RECEIVE) {
      telling = false;
      return;
    }
    int place = (int) completions.id(index);
    int length = completions.lengthBytes(index);
    if (received == job.iterations()) {
      end(Status.PROTOCOL_ERROR,
          "more than " + received + " messages: say the same number of iterations at both ends");
    } else if (length != job.bytes()) {
      end(Status.PROTOCOL_ERROR,
          "a message of " + length + " bytes instead of " + job.bytes() + ": say the same length at both ends");
    } else {
      take(place);
    }
  }

  private void take(int place) {
    long now = context().loop().clock().nanoTime();
    begunNs = received == 0 ? now : begunNs;
    lastNs = now;
    if (job.verified() && !isAsBefore(place, slots.slot(received))) {
      end(Status.MISCOMPARE, "message " + received + " is another one than the one before of the same place");
      return;
    }
    received++;
    post(place);
  }

  private boolean isAsBefore(int place, int slot) {
    long at = (long) place * stride;
    MemorySegment before = first[slot];
    if (before == null) {
      first[slot] = MemorySegment.ofArray(messages.segment().asSlice(at, job.bytes()).toArray(ValueLayout.JAVA_BYTE));
      return true;
    }
    return MemorySegment.mismatch(messages.segment(), at, at + job.bytes(), before, 0, job.bytes()) < 0;
  }

  @Override
  void settled() {
    if (credits && !telling && received > told) {
      telling = true;
      told = received;
      // Of the processor's own order, which perftest takes for that of both.
      count.segment().set(ValueLayout.JAVA_INT, 0, (int) received);
      post(tell.id(TELLS).piece(count, 0, Integer.BYTES).write(counter.address(), counter.key()));
    }
    lookWhetherDone();
  }

  @Override
  PerftestReport report(PerftestReport said) {
    return PerftestReport.of(job.bytes(), received, lastNs - begunNs);
  }
}
