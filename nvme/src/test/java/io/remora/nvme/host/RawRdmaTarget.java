package io.remora.nvme.host;

import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The target's end of NVMe/RDMA connections, in verbs and bytes: it does what a test says, right or wrong, with the last connection that came. */
final class RawRdmaTarget implements CmListener.Handler, CmId.Handler {
  private static final int RECEIVES = 64;
  private static final int CAPSULE_BYTES = 64 + 8192;

  private final SimLoop loop;
  private final Arena arena = Arena.ofShared();
  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemoryRegion memory;
  private final CmListener listener;
  private @Nullable CmId id;
  private @Nullable QueuePair queuePair;
  /** The capsules that came. */
  final ArrayDeque<byte[]> capsules = new ArrayDeque<>();
  byte[] privateData = {};
  /** What it answers to a request: an acceptance unless a test says otherwise. */
  byte[] answer = acceptance(64);
  boolean rejects;
  @Nullable
  WorkStatus failure;
  boolean ended;
  private long done;
  private int nextAnswer;

  RawRdmaTarget(SimLoop loop, Provider provider, InetSocketAddress address) {
    this.loop = loop;
    this.context = provider.open(loop, "sim0");
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(1024, this::poll);
    this.memory = domain.register(context.allocate(arena, (long) RECEIVES * CAPSULE_BYTES + (2 << 20)),
        Access.LOCAL_WRITE);
    this.listener = context.connectionManager().listen(address, QueuePairType.RC, this);
  }

  static byte[] acceptance(int receives) {
    byte[] bytes = new byte[32];
    bytes[2] = (byte) receives;
    return bytes;
  }

  static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void onConnectRequest(CmRequest request) {
    privateData = request.privateData().toArray(ValueLayout.JAVA_BYTE);
    MemorySegment said = MemorySegment.ofArray(answer);
    if (rejects) {
      request.reject(said);
      return;
    }
    CmId made = request.attach(context, this);
    id = made;
    queuePair = made.createQueuePair(domain, QueuePairConfig.rc(completions, 256, RECEIVES));
    for (int i = 0; i < RECEIVES; i++) {
      post(i);
    }
    completions.requestNotify(false);
    made.accept(new CmId.Parameters(said, 0, 16));
  }

  private QueuePair pair() {
    return Objects.requireNonNull(queuePair);
  }

  private void post(int index) {
    pair().postReceive(new ReceiveRequest().id(index).piece(memory, (long) index * CAPSULE_BYTES, CAPSULE_BYTES));
  }

  private void poll() {
    completions.requestNotify(false);
    WorkCompletions of = new WorkCompletions(16);
    while (completions.poll(of) > 0) {
      for (int i = 0; i < of.count(); i++) {
        if (!of.ok(i)) {
          failure = failure == null ? of.status(i) : failure;
        } else if (of.id(i) < RECEIVES) {
          capsules.add(
              memory.segment().asSlice(of.id(i) * CAPSULE_BYTES, of.lengthBytes(i)).toArray(ValueLayout.JAVA_BYTE));
          post((int) of.id(i));
        } else {
          done++;
        }
      }
    }
  }

  /** How many requests of this end's have ended well. */
  long done() {
    return done;
  }

  private long dataAt() {
    return (long) RECEIVES * CAPSULE_BYTES;
  }

  /** Writes {@code data} to the host. */
  void write(byte[] data, long address, int key) {
    loop.run(() -> {
      MemorySegment.copy(data, 0, memory.segment(), ValueLayout.JAVA_BYTE, dataAt(), data.length);
      pair().postSend(new SendRequest().id(1000).write(address, key).piece(memory, dataAt(), data.length));
    });
  }

  /** Begins to read {@code length} bytes from the host; see {@link #read(int)}. */
  void read(long address, int key, int length) {
    loop.run(() -> pair().postSend(new SendRequest().id(1000).read(address, key).piece(memory, dataAt(), length)));
  }

  /** What was read. */
  byte[] read(int length) {
    return memory.segment().asSlice(dataAt(), length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Answers command {@code cid}; {@code key} 0: invalidates nothing. */
  void respond(int cid, int status, int key) {
    byte[] entry = new byte[16];
    view(entry).putLong(0, 0x1234).putShort(8, (short) 5).putShort(12, (short) cid).putShort(14, (short) (status << 1));
    send(entry, key);
  }

  void send(byte[] message, int key) {
    long at = dataAt() + (1 << 20) + 64L * (nextAnswer++ % 1024);
    loop.run(() -> {
      MemorySegment.copy(message, 0, memory.segment(), ValueLayout.JAVA_BYTE, at, message.length);
      SendRequest request = new SendRequest().id(1000).piece(memory, at, message.length);
      pair().postSend(key == 0 ? request.send() : request.sendWithInvalidate(key));
    });
  }

  void disconnect() {
    loop.run(() -> Objects.requireNonNull(id).disconnect());
  }

  @Override
  public void onEstablished(CmId.Established connection) {}

  @Override
  public void onFailed(Status reason, String text) {
    ended = true;
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    ended = true;
  }

  void close() {
    loop.run(() -> {
      QueuePair made = queuePair;
      if (made != null) {
        made.close();
      }
      CmId own = id;
      if (own != null) {
        own.close();
      }
      listener.close();
      completions.close();
      memory.close();
      domain.close();
      context.close();
      arena.close();
    });
  }
}
