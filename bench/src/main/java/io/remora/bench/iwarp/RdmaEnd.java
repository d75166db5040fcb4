package io.remora.bench.iwarp;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.iwarp.IwarpProvider;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One end of an RDMA connection, with memory for {@link Work#DEPTH} operations that the other end may use, and short messages beside. Belongs to its loop. */
abstract class RdmaEnd implements CmId.Handler {
  private static final int MESSAGES = 4;
  private static final int MESSAGE_BYTES = 64;
  static final long MESSAGE = -1;

  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemoryRegion region;
  private final long messages;
  private final WorkCompletions polled = new WorkCompletions(64);
  private final SendRequest request = new SendRequest();
  private final ReceiveRequest receive = new ReceiveRequest();
  private final CompletableFuture<Void> connected = new CompletableFuture<>();
  private @Nullable QueuePair queuePair;

  /** On the loop. */
  RdmaEnd(Loop loop, Work work) {
    this.context = new IwarpProvider(IwarpProvider.Config.DEFAULT.withCrc(work.crc())).open(loop, "iwarp0");
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(8 * Work.DEPTH, this::onEvent);
    this.messages = (long) work.bytes() * Work.DEPTH;
    MemorySegment memory = context.allocate(loop.newArena(), messages + (MESSAGES + 1L) * MESSAGE_BYTES);
    this.region = domain.register(memory, Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ);
    completions.requestNotify(false);
  }

  final Context context() {
    return context;
  }

  final MemoryRegion region() {
    return region;
  }

  public final CompletableFuture<Void> connected() {
    return connected;
  }

  /** Makes the queue pair, with receives. */
  final void prepare(CmId id) {
    queuePair = id.createQueuePair(domain, QueuePairConfig.rc(completions, 2 * Work.DEPTH, MESSAGES));
    for (int i = 0; i < MESSAGES; i++) {
      receive(i);
    }
  }

  /** Operations are told of when they end; a message is not. */
  final SendRequest request(long id) {
    return request.id(id);
  }

  final void post(SendRequest of) {
    QueuePair to = queuePair;
    Check.that(to != null && to.postSend(of) == Status.OK, "a post was refused");
  }

  final void message() {
    post(request(MESSAGE).piece(region, messages + MESSAGES * MESSAGE_BYTES, MESSAGE_BYTES).send());
  }

  private void receive(long slot) {
    QueuePair from = queuePair;
    Check.that(
        from != null && from.postReceive(
            receive.id(slot).piece(region, messages + slot * MESSAGE_BYTES, MESSAGE_BYTES)) == Status.OK,
        "a receive was refused");
  }

  private void onEvent() {
    completions.requestNotify(false);
    while (completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count(); i++) {
        if (!polled.ok(i)) {
          onFailed(Status.DISCONNECTED, polled.toString());
        } else if (polled.opcode(i) == CompletionOpcode.RECEIVE) {
          receive(polled.id(i));
          onMessage();
        } else if (polled.id(i) != MESSAGE) {
          onOperation((int) polled.id(i));
        }
      }
    }
  }

  /** The other end has something to say. */
  abstract void onMessage();

  /** The operation on buffer {@code slot} has ended. */
  void onOperation(int slot) {}

  @Override
  public void onEstablished(CmId.Established connection) {
    connected.complete(null);
  }

  @Override
  public void onFailed(Status reason, String text) {
    connected.completeExceptionally(new IllegalStateException(reason + " " + text));
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    onFailed(reason, text);
  }
}
