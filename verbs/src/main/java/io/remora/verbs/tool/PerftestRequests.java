package io.remora.verbs.tool;

import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;

/**
 * The client's end of the second connection: the operations themselves, in a closed loop. Belongs to its context's loop; allocates nothing per operation.
 *
 * <p>Where a message without a receive ends the connection, the server writes into a counter of this end how many it has taken, and this end keeps to the window.
 */
abstract class PerftestRequests extends PerftestLink {
  private static final VarHandle COUNTER = ValueLayout.JAVA_INT.varHandle();
  private static final long COUNTER_PAUSE_NS = 50_000;

  private final PerftestJob job;
  private final PerftestSlots slots;
  private final MemoryRegion counter;
  private final boolean credited;
  private final Timer look;
  private final SendRequest request = new SendRequest(1);
  private final MemoryRegion sources;
  private final PerftestChecks checks;
  private PerftestMessages.Memory target = PerftestMessages.Memory.NONE;
  private long posted;
  private long done;
  private long begunNs;

  PerftestRequests(Context context, PerftestJob job, PerftestSlots slots) {
    super(context, job.depth(), 1);
    this.job = job;
    this.slots = slots;
    this.credited = job.operation() == Operation.SEND && !context.attributes().can(Capability.RECEIVER_NOT_READY);
    this.look = context.loop().timer(this::pump);
    this.counter = allocate(Integer.BYTES, Access.LOCAL_WRITE | Access.REMOTE_WRITE);
    int places = job.operation().brings() ? job.depth() : slots.count();
    this.sources = allocate(Math.max(slots.lengthBytes(), (long) places * slots.stride()), Access.LOCAL_WRITE);
    this.checks = PerftestChecks.of(job, slots, sources.segment());
  }

  /** All has been done, in {@code elapsedNs} nanoseconds. */
  abstract void onDone(long elapsedNs);

  /** What the server has to know of this end's memory. */
  PerftestMessages.Memory offered() {
    return new PerftestMessages.Memory(counter.address(), counter.remoteKey(), context().attributes().maxReads(),
        number());
  }

  void connect(InetSocketAddress address) {
    int reads = job.operation().brings() ? Math.min(context().attributes().maxReads(), job.depth()) : 0;
    connect(address, new CmId.Parameters(MemorySegment.NULL, reads, reads));
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    if (job.operation().brings() && connection.initiatorDepth() == 0) {
      end(Status.UNSUPPORTED, "the server does not let others read");
    } else {
      onConnected();
    }
  }

  abstract void onConnected();

  /** Begins, with the server's memory. */
  void run(PerftestMessages.Memory memory) {
    target = job.operation() == Operation.SEND ? memory : memory.holding(slots.lengthBytes());
    posted = -checks.probes();
    done = posted;
    begunNs = now();
    pump();
  }

  private void pump() {
    // A probe's answer is needed before the first operation.
    long until = done < 0 ? 0 : job.iterations();
    while (!ended() && posted < until && posted - done < job.depth()) {
      if (credited && !mayPost()) {
        return;
      }
      postNext();
    }
  }

  private boolean mayPost() {
    int ahead = (int) posted - (int) COUNTER.getAcquire(counter.segment(), 0L);
    if (ahead < 0) {
      end(Status.PROTOCOL_ERROR, "the server has taken more messages than were sent");
      return false;
    }
    boolean may = ahead < job.window();
    if (!may) {
      look.arm(COUNTER_PAUSE_NS);
    }
    return may;
  }

  private void postNext() {
    long number = posted++;
    int slot = slots.slot(number < 0 ? number + checks.probes() : number);
    long address = target.address() + slots.offset(slot);
    long from = job.operation().brings() ? sink(number) : slots.offset(slot);
    request.id(number).piece(sources, from, job.bytes());
    switch (job.operation()) {
      case SEND -> request.send();
      case WRITE -> request.write(address, target.key());
      case READ -> {
        checks.beforeRead(from);
        request.read(address, target.key());
      }
      case FETCH_AND_ADD -> request.fetchAndAdd(address, target.key(), number < 0 ? 0 : 1);
      case COMPARE_AND_SWAP -> {
        long compare = number < 0 ? 0 : checks.compare(slot);
        request.compareAndSwap(address, target.key(), compare, number < 0 ? 0 : checks.swap(slot));
      }
    }
    post(request);
  }

  /** Where the data of a read or atomic goes. */
  private long sink(long number) {
    return Math.floorMod(number, (long) job.depth()) * slots.stride();
  }

  @Override
  void completed(WorkCompletions completions, int index) {
    if (completions.opcode(index) == CompletionOpcode.RECEIVE) {
      end(Status.PROTOCOL_ERROR, "the server sends a message on the second connection");
      return;
    }
    long number = completions.id(index);
    done++;
    if (number < 0) {
      checks.probed(slots.slot(number + checks.probes()), sink(number));
      begunNs = now();
    } else if (job.operation().brings()) {
      String wrong = checks.brought(slots.slot(number), sink(number));
      if (wrong != null) {
        end(Status.MISCOMPARE, "iteration " + number + ": " + wrong);
      }
    }
  }

  @Override
  void settled() {
    if (done == job.iterations()) {
      onDone(now() - begunNs);
    } else {
      pump();
    }
  }

  private long now() {
    return context().loop().clock().nanoTime();
  }

  @Override
  void stop() {
    look.cancel();
  }
}
