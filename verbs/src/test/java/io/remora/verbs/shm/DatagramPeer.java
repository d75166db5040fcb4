package io.remora.verbs.shm;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The other process of a test of datagrams: listens, and sends each back to where it came from, with one more than its immediate data. It ends with its standard input. Prints the port. */
final class DatagramPeer implements CmListener.Handler, CmId.Handler {
  private static final int DEPTH = 64;
  private static final int SLOT_BYTES = ReceiveRequest.ROUTE_HEADER_BYTES + 4096;

  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemoryRegion region;
  private final AddressHandle back;
  private final WorkCompletions polled = new WorkCompletions(16);
  private @Nullable QueuePair queuePair;

  private DatagramPeer(Loop loop) {
    context = new ShmProvider().open(loop, ShmProvider.DEVICE);
    domain = context.allocateProtectionDomain();
    completions = context.createCompletionQueue(1024, this::completed);
    region = domain.register(context.allocate(loop.newArena(), (long) DEPTH * SLOT_BYTES), Access.LOCAL_WRITE);
    back = domain.createAddressHandle(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  /** See the class. */
  public static void main(String[] args) throws IOException {
    Loops loops = Loops.start(Loops.Config.of("peer", 1));
    loops.get(0).execute(() -> {
      try {
        DatagramPeer peer = new DatagramPeer(loops.get(0));
        CmListener listener = peer.context.connectionManager()
            .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), QueuePairType.UD, peer);
        System.out.println(listener.localAddress().getPort());
      } catch (RuntimeException | Error e) {
        System.out.println("failed: " + e);
      }
    });
    while (System.in.read() >= 0) {
      // Nothing is said; the end matters.
    }
    Runtime.getRuntime().halt(0);
  }

  @Override
  public void onConnectRequest(CmRequest wish) {
    CmId id = wish.attach(context, this);
    QueuePair made = id.createQueuePair(domain,
        QueuePairConfig.rc(completions, DEPTH, DEPTH).withType(QueuePairType.UD));
    queuePair = made;
    for (int i = 0; i < DEPTH; i++) {
      receive(made, i);
    }
    completions.requestNotify(false);
    id.accept(CmId.Parameters.DEFAULT);
  }

  private void receive(QueuePair of, long slot) {
    Check.that(
        of.postReceive(new ReceiveRequest().id(slot).piece(region, slot * SLOT_BYTES, SLOT_BYTES)) == Status.OK,
        "a receive");
  }

  private void completed() {
    QueuePair of = queuePair;
    do {
      completions.poll(polled);
      for (int i = 0; of != null && i < polled.count(); i++) {
        if (polled.ok(i) && polled.opcode(i).code() >= 128) {
          answer(of, i);
        } else if (polled.ok(i)) {
          // The answer has gone, and its memory is free.
          receive(of, polled.id(i));
        }
      }
    } while (polled.count() > 0);
    completions.requestNotify(false);
  }

  private void answer(QueuePair of, int index) {
    long slot = polled.id(index);
    int length = polled.lengthBytes(index) - ReceiveRequest.ROUTE_HEADER_BYTES;
    SendRequest answer = new SendRequest().id(slot)
        .piece(region, slot * SLOT_BYTES + ReceiveRequest.ROUTE_HEADER_BYTES, length)
        .to(back, polled.sourceQueuePair(index), DatagramQueuePair.QUEUE_KEY);
    of.postSend(polled.hasImmediate(index) ? answer.sendWithImmediate(polled.immediate(index) + 1) : answer.send());
  }

  @Override
  public void onEstablished(CmId.Established connection) {}

  @Override
  public void onFailed(Status reason, String text) {
    System.out.println("failed: " + reason + " " + text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    System.out.println("disconnected: " + reason + " " + text);
  }
}
