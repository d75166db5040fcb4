package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The other process of a test: {@code serve TYPE} listens and does what messages ask for; {@code hammer ADDRESS:PORT} connects and writes, reads and adds to the memory that it is offered, as fast as
 * it can, for ever. It ends with its standard input. Prints the port, then nothing.
 *
 * <p>A message is four numbers of 8 bytes: what to do, and arguments. The answer has the first number of the question.
 */
final class PeerProcess implements CmListener.Handler, CmId.Handler {
  static final int MESSAGE_BYTES = 32;
  static final int MEMORY_BYTES = 1 << 20;
  /** Comes back as it is. */
  static final long ECHO = 1;
  /** Binds a window to {@code length} bytes at {@code offset}, for reading and writing; the answer has the key. */
  static final long BIND = 2;
  /** The answer has the sum of the numbers in {@code length} bytes at {@code offset}. */
  static final long SUM = 3;
  /** Closes the region of {@link #OFFER_CLOSABLE}. */
  static final long CLOSE_REGION = 4;
  /** Writes 8 bytes with the number {@code 4711} to the asker's memory by address and key, then answers. */
  static final long WRITE_BACK = 5;

  /** Places in the private data of the accept: address and key, as two numbers each. */
  static final int OFFER_ALL = 0;
  static final int OFFER_READ_ONLY = 16;
  static final int OFFER_CLOSABLE = 32;

  private static final int DEPTH = 64;
  private static final int ALL = Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ | Access.REMOTE_ATOMIC
      | Access.WINDOW_BIND;

  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemorySegment memory;
  private final MemorySegment messages;
  private final MemoryRegion all;
  private final MemoryRegion readOnly;
  private final MemoryRegion closable;
  private final MemoryRegion mail;
  private final WorkCompletions polled = new WorkCompletions(16);
  private final List<MemoryWindow> windows = new ArrayList<>();
  private final SendRequest request = new SendRequest();
  private @Nullable QueuePair queuePair;
  private @Nullable CmId id;
  private long target;
  private int targetKey;
  private long round;

  private PeerProcess(Loop loop) {
    Arena arena = loop.newArena();
    context = new ShmProvider().open(loop, ShmProvider.DEVICE);
    domain = context.allocateProtectionDomain();
    completions = context.createCompletionQueue(1024, this::completed);
    memory = context.allocate(arena, MEMORY_BYTES);
    messages = context.allocate(arena, 2L * DEPTH * MESSAGE_BYTES);
    all = domain.register(memory, ALL);
    readOnly = domain.register(memory, Access.REMOTE_READ);
    closable = domain.register(memory.asSlice(0, 4096), ALL);
    mail = domain.register(messages, Access.LOCAL_WRITE);
    for (long at = 0; at < MEMORY_BYTES; at += 8) {
      memory.set(JAVA_LONG, at, at);
    }
  }

  /** See the class. */
  public static void main(String[] args) throws IOException {
    Loops loops = Loops.start(Loops.Config.of("peer", 1));
    loops.get(0).execute(() -> {
      try {
        PeerProcess peer = new PeerProcess(loops.get(0));
        if (args[0].equals("serve")) {
          CmListener listener = peer.context.connectionManager()
              .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), QueuePairType.valueOf(args[1]), peer);
          System.out.println(listener.localAddress().getPort());
        } else {
          peer.id = peer.context.connectionManager().resolve(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1])), QueuePairType.RC,
              peer);
        }
      } catch (RuntimeException | Error e) {
        System.out.println("failed: " + e);
      }
    });
    while (System.in.read() >= 0) {
      // Nothing is said; the end matters.
    }
    Runtime.getRuntime().halt(0);
  }

  // Serving.

  @Override
  public void onConnectRequest(CmRequest wish) {
    CmId made = wish.attach(context, this);
    id = made;
    MemorySegment offer = MemorySegment.ofArray(new long[6]);
    offer(offer, OFFER_ALL, all);
    offer(offer, OFFER_READ_ONLY, readOnly);
    offer(offer, OFFER_CLOSABLE, closable);
    start(made);
    made.accept(CmId.Parameters.DEFAULT.with(offer));
  }

  private static void offer(MemorySegment to, long at, MemoryRegion region) {
    to.set(JAVA_LONG, at, region.address());
    to.set(JAVA_LONG, at + 8, region.remoteKey());
  }

  private void start(CmId of) {
    QueuePair made = of.createQueuePair(domain, QueuePairConfig.rc(completions, DEPTH * 4, DEPTH).withType(typeOf(of)));
    queuePair = made;
    for (int i = 0; i < DEPTH; i++) {
      receive(made, i);
    }
    completions.requestNotify(false);
  }

  private static QueuePairType typeOf(CmId id) {
    return ((ShmCmId) id).type();
  }

  private void receive(QueuePair of, long slot) {
    Check.that(
        of.postReceive(new ReceiveRequest().id(slot).piece(mail, slot * MESSAGE_BYTES, MESSAGE_BYTES)) == Status.OK,
        "a receive");
  }

  private void completed() {
    do {
      completions.poll(polled);
      for (int i = 0; i < polled.count(); i++) {
        if (polled.ok(i) && polled.opcode(i).code() >= 128) {
          asked(polled.id(i), polled.hasImmediate(i) ? polled.immediate(i) : 0, polled.lengthBytes(i));
        } else if (polled.ok(i) && target != 0) {
          hammer();
        }
      }
    } while (polled.count() > 0);
    completions.requestNotify(false);
    // What came between the last poll and the request would wait for the next.
    if (completions.poll(polled) > 0) {
      throw new IllegalStateException("a completion came while the loop was here");
    }
  }

  private void asked(long slot, int immediate, int length) {
    QueuePair to = queuePair;
    if (to == null) {
      return;
    }
    long at = slot * MESSAGE_BYTES;
    long out = (DEPTH + slot) * MESSAGE_BYTES;
    MemorySegment.copy(messages, at, messages, out, MESSAGE_BYTES);
    long first = messages.get(JAVA_LONG, at + 8);
    long second = messages.get(JAVA_LONG, at + 16);
    long result = first;
    switch ((int) messages.get(JAVA_LONG, at)) {
      case (int) BIND -> {
        MemoryWindow window = domain.allocateMemoryWindow();
        windows.add(window);
        int key = window.nextKey();
        to.postSend(new SendRequest().id(-1).signalled(false).bind(window, key, all, first, second,
            Access.REMOTE_READ | Access.REMOTE_WRITE));
        result = key;
      }
      case (int) SUM -> {
        result = 0;
        for (long i = first; i < first + second; i += 8) {
          result += memory.get(JAVA_LONG, i);
        }
      }
      case (int) CLOSE_REGION -> closable.close();
      case (int) WRITE_BACK -> {
        memory.set(JAVA_LONG, 0, 4711);
        to.postSend(new SendRequest().id(-1).signalled(false).piece(all, 0, 8).write(first, (int) second));
      }
      default -> {
      }
    }
    messages.set(JAVA_LONG, out + 8, result);
    messages.set(JAVA_LONG, out + 24, length);
    receive(to, slot);
    SendRequest answer = new SendRequest().id(-2).piece(mail, out, MESSAGE_BYTES);
    to.postSend(immediate == 0 ? answer.send() : answer.sendWithImmediate(immediate + 1));
  }

  // Hammering.

  @Override
  public void onResolved() {
    CmId mine = id;
    if (mine != null) {
      start(mine);
      mine.connect(CmId.Parameters.DEFAULT);
    }
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    MemorySegment offer = connection.privateData();
    if (offer.byteSize() >= 16) {
      target = offer.get(JAVA_LONG_UNALIGNED, 0);
      targetKey = (int) offer.get(JAVA_LONG_UNALIGNED, 8);
      for (int i = 0; i < DEPTH; i++) {
        hammer();
      }
    }
  }

  private void hammer() {
    QueuePair to = queuePair;
    if (to == null) {
      return;
    }
    long n = round++;
    request.id(n).piece(all, 0, (int) (8 + n * 4099 % (MEMORY_BYTES / 2)));
    switch ((int) (n & 3)) {
      case 0 -> request.write(target, targetKey);
      case 1 -> request.read(target, targetKey);
      case 2 -> request.piece(all, 0, 8).fetchAndAdd(target, targetKey, 1);
      default -> request.piece(all, 0, MESSAGE_BYTES).send();
    }
    to.postSend(request);
  }

  @Override
  public void onFailed(Status reason, String text) {
    System.out.println("failed: " + reason + " " + text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    QueuePair old = queuePair;
    CmId of = id;
    queuePair = null;
    target = 0;
    if (old != null && of != null) {
      old.close();
      of.close();
      windows.forEach(MemoryWindow::close);
      windows.clear();
    }
  }

  /** The key in an answer. */
  static int key(MemorySegment message) {
    return message.get(JAVA_INT, 8);
  }
}
