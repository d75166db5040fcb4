package io.remora.bench.rdma;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Pollable;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One end of the game: who serves takes the time of each round, who answers answers. Belongs to its loop.
 *
 * <p>Memory: 64 bytes that the other end writes, the last 8 of them the number of the round; at 4096 what goes out; from 8192 on receives.
 */
final class Player implements CmId.Handler, Pollable {
  private static final VarHandle NUMBER = JAVA_LONG.varHandle();
  private static final int DEPTH = 64;
  private static final int SIGNAL_EVERY = 16;
  private static final int SHORT = 64;
  private static final int ANSWER = 16;
  private static final int DATA = 4096;
  private static final long LAST = SHORT - 8;
  private static final long OUT = 4096;
  private static final long RECEIVES = 8192;
  private static final long FROM = 16384;
  private static final long BYTES = 65536;

  private final Loop loop;
  private final Pattern pattern;
  private final boolean serves;
  private final long[] rounds;
  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemorySegment memory;
  private final MemoryRegion region;
  private final WorkCompletions polled = new WorkCompletions(32);
  private final SendRequest request = new SendRequest();
  private final SendRequest data = new SendRequest();
  private final ReceiveRequest receive = new ReceiveRequest();
  private final CompletableFuture<long[]> done = new CompletableFuture<>();
  private @Nullable QueuePair queuePair;
  private @Nullable CmId id;
  private long target;
  private int targetKey;
  private long number;
  private long posted;
  private int round;
  private long beganNs;

  /**
   * On the loop.
   *
   * @param rounds where the time of each goes, in nanoseconds; who answers needs none
   */
  Player(Loop loop, Provider provider, String device, Pattern pattern, boolean serves, long[] rounds) {
    this.loop = loop;
    this.pattern = pattern;
    this.serves = serves;
    this.rounds = rounds;
    this.context = provider.open(loop, device);
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(4 * DEPTH, this::onEvent);
    Arena arena = loop.newArena();
    this.memory = context.allocate(arena, BYTES);
    this.region = domain.register(memory, Access.LOCAL_WRITE | Access.REMOTE_WRITE);
  }

  Context context() {
    return context;
  }

  /** Where both say what may be written. */
  CmId.Parameters offer() {
    return CmId.Parameters.DEFAULT.with(MemorySegment.ofArray(new long[] {region.address(), region.remoteKey()}));
  }

  /** Makes the queue pair, with receives. */
  void prepare(CmId of) {
    id = of;
    QueuePair made = of.createQueuePair(domain, QueuePairConfig.rc(completions, DEPTH, DEPTH));
    queuePair = made;
    for (int i = 0; i < DEPTH; i++) {
      receive(made, i);
    }
  }

  /** The other end's offer. */
  void learn(MemorySegment offer) {
    target = offer.get(JAVA_LONG_UNALIGNED, 0);
    targetKey = (int) offer.get(JAVA_LONG_UNALIGNED, 8);
    // Looking at memory needs every turn; messages are told by the completion queue, asleep too.
    if (pattern == Pattern.WRITE) {
      loop.add(this);
    }
    completions.requestNotify(false);
  }

  /** The times of all rounds. */
  CompletableFuture<long[]> done() {
    return done;
  }

  @Override
  public void onResolved() {
    CmId mine = id;
    if (mine != null) {
      prepare(mine);
      mine.connect(offer());
    }
  }

  void resolved(CmId mine) {
    id = mine;
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    if (serves) {
      learn(connection.privateData());
      serve();
    }
  }

  @Override
  public void onFailed(Status reason, String text) {
    done.completeExceptionally(new IllegalStateException(reason + " " + text));
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    done.completeExceptionally(new IllegalStateException(reason + " " + text));
  }

  private void serve() {
    beganNs = loop.clock().nanoTime();
    number++;
    post(SHORT, pattern == Pattern.WRITE);
  }

  private void answer() {
    QueuePair to = queuePair;
    if (pattern == Pattern.COMMAND && to != null) {
      Check.that(
          to.postSend(data.signalled(false).piece(region, FROM, DATA).write(target + FROM, targetKey)) == Status.OK,
          "a write");
    }
    number++;
    post(pattern == Pattern.COMMAND ? ANSWER : SHORT, pattern == Pattern.WRITE);
  }

  private void played() {
    if (!serves) {
      answer();
      return;
    }
    long now = loop.clock().nanoTime();
    rounds[round++] = now - beganNs;
    if (round < rounds.length) {
      serve();
    } else {
      if (pattern == Pattern.WRITE) {
        loop.remove(this);
      }
      done.complete(rounds);
    }
  }

  private void post(int length, boolean write) {
    QueuePair to = queuePair;
    if (to == null) {
      return;
    }
    memory.set(JAVA_LONG, OUT + length - 8, number);
    request.id(-1).signalled(++posted % SIGNAL_EVERY == 0).piece(region, OUT, length);
    Check.that(to.postSend(write ? request.write(target, targetKey) : request.send()) == Status.OK, "a post");
  }

  private void receive(QueuePair of, long slot) {
    Check.that(of.postReceive(receive.id(slot).piece(region, RECEIVES + slot * SHORT, SHORT)) == Status.OK,
        "a receive");
  }

  @Override
  public int poll() {
    if (target == 0 || (long) NUMBER.getAcquire(memory, LAST) != (serves ? number : number + 1)) {
      return 0;
    }
    played();
    return 1;
  }

  @Override
  public boolean arm() {
    // Nothing wakes who looks at memory.
    return false;
  }

  private void onEvent() {
    completions.requestNotify(false);
    while (completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count(); i++) {
        if (!polled.ok(i)) {
          onFailed(Status.DISCONNECTED, polled.toString());
          return;
        }
        if (polled.id(i) >= 0 && queuePair != null) {
          receive(queuePair, polled.id(i));
          played();
        }
      }
    }
  }
}
