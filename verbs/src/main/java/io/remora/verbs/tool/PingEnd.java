package io.remora.verbs.tool;

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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What both ends of a ping have: a connection, a queue pair, and memory. They exchange messages of 16 bytes that name memory, as {@code rping} of rdma-core does:
 *
 * <pre>
 * 0         8     12       16
 * | address | key | length |     big-endian
 *
 * client                                  server
 *   SEND where the text is          ──>
 *                                   <──   READ of the text
 *                                   <──   SEND go on (the content does not matter)
 *   SEND where the echo goes        ──>
 *                                   <──   WRITE of the text
 *                                   <──   SEND done
 * </pre>
 *
 * Belongs to its context's loop.
 */
abstract class PingEnd implements CmId.Handler, AutoCloseable {
  /** The longest text, in bytes. */
  static final int MAX_BYTES = 64 << 10;
  /** One read at a time, each way. */
  static final CmId.Parameters PARAMETERS = new CmId.Parameters(MemorySegment.NULL, 1, 1);

  private static final int MESSAGE_BYTES = 16;
  private static final int RECEIVES = 2;
  private static final long SEND_AT = (long) RECEIVES * MESSAGE_BYTES;
  private static final ValueLayout.OfInt BE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final Context context;
  private final Arena arena;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final WorkCompletions polled = new WorkCompletions(8);
  private final MemorySegment messages;
  private final MemoryRegion messageRegion;
  private final ReceiveRequest receive = new ReceiveRequest(1);
  private final SendRequest send = new SendRequest(1);
  /** The text, and where it comes back. */
  final MemorySegment texts;
  final MemoryRegion textRegion;
  private @Nullable CmId id;
  private @Nullable QueuePair queuePair;
  private boolean ended;
  private boolean closed;

  PingEnd(Context context) {
    this.context = context;
    this.arena = context.loop().newArena();
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(32, this::onEvent);
    this.messages = context.allocate(arena, SEND_AT + MESSAGE_BYTES);
    this.messageRegion = domain.register(messages, Access.LOCAL_WRITE);
    this.texts = context.allocate(arena, 2L * MAX_BYTES);
    this.textRegion = domain.register(texts, Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE);
  }

  /** Its connection in the making, closed with it. */
  void own(CmId connection) {
    id = connection;
  }

  /** Makes the queue pair of {@code connection} and posts receives. */
  void use(CmId connection) {
    own(connection);
    QueuePair made = connection.createQueuePair(domain,
        QueuePairConfig.rc(completions, 8, RECEIVES).withRequests(1, 0));
    queuePair = made;
    completions.requestNotify(false);
    for (int i = 0; i < RECEIVES; i++) {
      postReceive(i);
    }
  }

  Context context() {
    return context;
  }

  /** A message has come: what it names. */
  abstract void onMessage(long address, int key, long length);

  /** A read or write of this end's has ended. */
  abstract void onDone(CompletionOpcode opcode);

  /** The connection has ended, or could not be made. Once. */
  abstract void onEnd(Status reason, String text);

  // Requests.

  /** Sends the name of {@code length} bytes at {@code offset} of the texts. */
  void send(long offset, int length) {
    messages.set(BE64, SEND_AT, textRegion.address() + offset);
    messages.set(BE32, SEND_AT + 8, textRegion.remoteKey());
    messages.set(BE32, SEND_AT + 12, length);
    post(send.piece(messageRegion, SEND_AT, MESSAGE_BYTES).send());
  }

  /** Reads {@code length} bytes from {@code address} to the beginning of the texts. */
  void read(long address, int key, int length) {
    post(send.piece(textRegion, 0, length).read(address, key));
  }

  /** Writes {@code length} bytes from the beginning of the texts to {@code address}. */
  void write(long address, int key, int length) {
    post(send.piece(textRegion, 0, length).write(address, key));
  }

  private void post(SendRequest request) {
    QueuePair present = queuePair;
    Status status = present == null ? Status.INVALID : present.postSend(request);
    if (!status.isOk()) {
      end(status, request.opcode() + " was refused: " + status.text());
    }
  }

  private void postReceive(long place) {
    QueuePair present = queuePair;
    if (present != null) {
      present.postReceive(receive.id(place).piece(messageRegion, place * MESSAGE_BYTES, MESSAGE_BYTES));
    }
  }

  private void onEvent() {
    completions.requestNotify(false);
    while (!ended && completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count() && !ended; i++) {
        completed(i);
      }
    }
  }

  private void completed(int index) {
    if (!polled.ok(index)) {
      // Why the connection has ended is told by its handler.
      return;
    }
    if (polled.opcode(index) != CompletionOpcode.RECEIVE) {
      onDone(polled.opcode(index));
    } else if (polled.lengthBytes(index) != MESSAGE_BYTES) {
      end(Status.PROTOCOL_ERROR, "a message of " + polled.lengthBytes(index) + " bytes instead of 16");
    } else {
      long at = polled.id(index) * MESSAGE_BYTES;
      long address = messages.get(BE64, at);
      int key = messages.get(BE32, at + 8);
      long length = Integer.toUnsignedLong(messages.get(BE32, at + 12));
      postReceive(polled.id(index));
      onMessage(address, key, length);
    }
  }

  // The end.

  @Override
  public void onRejected(int reason, MemorySegment privateData) {
    end(Status.DENIED, "the other end does not want to");
  }

  @Override
  public void onFailed(Status reason, String text) {
    end(reason, text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    end(reason, text);
  }

  /** Ends the ping for that reason; everything is closed at the end of the turn. */
  void end(Status reason, String text) {
    if (!ended) {
      ended = true;
      onEnd(reason, text);
      context.loop().defer(this::close);
    }
  }

  /** Ends the connection and frees everything. Idempotent. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    ended = true;
    if (id != null) {
      // Before the queue pair goes: so the other end hears of an orderly end.
      id.disconnect();
    }
    if (queuePair != null) {
      queuePair.close();
    }
    if (id != null) {
      id.close();
    }
    completions.close();
    messageRegion.close();
    textRegion.close();
    domain.close();
    arena.close();
  }
}
