package io.remora.nvme.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.nvme.Opcode;
import io.remora.verbs.Access;
import io.remora.verbs.CmId;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The host's end of one queue, in verbs and bytes: it shares nothing with the host that it stands for. Calls run the simulation until the answer is there. */
final class RawQueue implements CmId.Handler {
  private static final int DATA_BYTES = 1 << 20;
  private static final int RECEIVES = 64;

  /** An answer. */
  record Reply(int cid, int status, long result, int sqhd, boolean invalidated, int key) {}

  private final RdmaWorld world;
  private final Arena arena = Arena.ofShared();
  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final MemorySegment privateData;
  private final int reads;
  /** 64 answers of 16 bytes, a capsule, data. */
  private final MemoryRegion receives;
  private final MemoryRegion capsules;
  final MemoryRegion data;
  private @Nullable CmId id;
  @Nullable
  QueuePair queuePair;
  private final List<Reply> replies = new ArrayList<>();
  private final List<MemoryWindow> windows = new ArrayList<>();
  private int nextCid = 1;
  private int nextCapsule;
  private boolean closed;
  CmId.@Nullable Established established;
  int rejectStatus = -1;
  boolean failed;
  boolean ended;
  int controllerId;

  RawQueue(RdmaWorld world, MemorySegment privateData, int reads) {
    this.world = world;
    this.privateData = privateData;
    this.reads = reads;
    this.context = world.hostLoop.call(() -> world.fabric.provider().open(world.hostLoop, "sim0"));
    this.domain = world.hostLoop.call(context::allocateProtectionDomain);
    this.completions = world.hostLoop.call(() -> context.createCompletionQueue(1024, this::poll));
    this.receives = region(RECEIVES * 16L, Access.LOCAL_WRITE);
    this.capsules = region(RECEIVES * (32L << 10), 0);
    this.data = region(DATA_BYTES, Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE | Access.WINDOW_BIND);
    InetSocketAddress address = world.listener.localAddress();
    world.hostLoop.run(() -> id = context.connectionManager().resolve(address, QueuePairType.RC, this));
  }

  private MemoryRegion region(long bytes, int access) {
    return world.hostLoop.call(() -> domain.register(context.allocate(arena, bytes), access));
  }

  boolean decided() {
    return established != null || rejectStatus >= 0 || failed;
  }

  @Override
  public void onResolved() {
    CmId id = Objects.requireNonNull(this.id);
    QueuePair made = id.createQueuePair(domain, QueuePairConfig.rc(completions, 256, RECEIVES));
    queuePair = made;
    for (int i = 0; i < RECEIVES; i++) {
      post(i);
    }
    completions.requestNotify(false);
    id.connect(new CmId.Parameters(privateData, reads, 0));
  }

  private void post(int index) {
    Objects.requireNonNull(queuePair).postReceive(new ReceiveRequest().id(index).piece(receives, index * 16L, 16));
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    established = connection;
  }

  @Override
  public void onRejected(int reason, MemorySegment said) {
    rejectStatus = said.byteSize() < 4
        ? 0
        : said.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2);
  }

  @Override
  public void onFailed(Status reason, String text) {
    failed = true;
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    ended = true;
  }

  private void poll() {
    WorkCompletions done = new WorkCompletions(64);
    completions.requestNotify(false);
    while (completions.poll(done) > 0) {
      for (int i = 0; i < done.count(); i++) {
        if (done.ok(i) && done.id(i) < RECEIVES) {
          assertThat(done.lengthBytes(i)).isEqualTo(16);
          ByteBuffer b = receives.segment().asSlice(done.id(i) * 16, 16).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
          replies.add(
              new Reply(b.getShort(12) & 0xffff, (b.getShort(14) & 0xffff) >> 1, b.getLong(0), b.getShort(8) & 0xffff,
                  done.hasInvalidatedKey(i), done.hasInvalidatedKey(i) ? done.invalidatedKey(i) : 0));
          post((int) done.id(i));
        }
      }
    }
  }

  // Commands.

  static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static byte[] sqe(int opcode, int nsid) {
    byte[] sqe = new byte[64];
    view(sqe).put(0, (byte) opcode).put(1, (byte) 0x40).putInt(4, nsid).put(39, (byte) 0x40);
    return sqe;
  }

  static byte[] io(int opcode, long slba, int blocks) {
    byte[] sqe = sqe(opcode, 1);
    view(sqe).putLong(40, slba).putInt(48, blocks - 1 & 0xffff);
    return sqe;
  }

  /** Describes {@code length} bytes at {@code address} of the peer's, by {@code key}; {@code type} 0x40 or 0x4f. */
  static byte[] keyed(byte[] sqe, int type, long address, int length, int key) {
    byte[] copy = sqe.clone();
    view(copy).putLong(24, address).putInt(32, length).putInt(35, key).put(39, (byte) type);
    return copy;
  }

  /** The data lies at {@code offset} of {@link #data}, under the region's own key. */
  byte[] keyed(byte[] sqe, int type, long offset, int length) {
    return keyed(sqe, type, data.address() + offset, length, data.remoteKey());
  }

  /** Exports {@code length} bytes at {@code offset} of {@link #data} by a window; gives its key. */
  int export(long offset, long length, int access) {
    return world.hostLoop.call(() -> {
      MemoryWindow window = domain.allocateMemoryWindow();
      windows.add(window);
      int key = window.nextKey();
      assertThat(Objects.requireNonNull(queuePair)
          .postSend(new SendRequest().id(1000).bind(window, key, data, offset, length, access)))
          .isEqualTo(Status.OK);
      return key;
    });
  }

  /** Sends a command as it stands, with {@code inside} behind it; gives its identifier. */
  int start(byte[] sqe, byte[] inside) {
    byte[] copy = sqe.clone();
    int cid = nextCid++;
    view(copy).putShort(2, (short) cid);
    raw(copy, inside);
    return cid;
  }

  /** Sends those bytes as a message. */
  void raw(byte[] head, byte[] inside) {
    long at = nextCapsule++ % RECEIVES * (32L << 10);
    MemorySegment.copy(head, 0, capsules.segment(), ValueLayout.JAVA_BYTE, at, head.length);
    MemorySegment.copy(inside, 0, capsules.segment(), ValueLayout.JAVA_BYTE, at + head.length, inside.length);
    world.hostLoop.run(() -> Objects.requireNonNull(queuePair)
        .postSend(new SendRequest().id(1000).send().piece(capsules, at, head.length + inside.length)));
  }

  Reply answer(int cid) {
    world.await(() -> ended || replies.stream().anyMatch(reply -> reply.cid == cid));
    Reply reply = replies.stream().filter(each -> each.cid == cid).findFirst()
        .orElseThrow(() -> new AssertionError("the connection ended without an answer"));
    replies.remove(reply);
    return reply;
  }

  boolean answered(int cid) {
    return replies.stream().anyMatch(reply -> reply.cid == cid);
  }

  Reply call(byte[] sqe) {
    return answer(start(sqe, new byte[0]));
  }

  Reply call(byte[] sqe, byte[] inside) {
    return answer(start(sqe, inside));
  }

  void awaitEnd() {
    world.await(() -> ended);
  }

  /** Connect, its data exported under the region's key. */
  Reply tryConnect(int queueId, int sqsize, String subsystem, int cntlid) {
    byte[] connect = new byte[1024];
    connect[0] = 7;
    view(connect).putShort(16, (short) cntlid);
    byte[] sub = subsystem.getBytes(StandardCharsets.UTF_8);
    byte[] host = "nqn.2024-01.test:host".getBytes(StandardCharsets.UTF_8);
    System.arraycopy(sub, 0, connect, 256, sub.length);
    System.arraycopy(host, 0, connect, 512, host.length);
    put(0, connect);
    byte[] sqe = sqe(Opcode.FABRICS, Opcode.CONNECT);
    view(sqe).putShort(42, (short) queueId).putShort(44, (short) sqsize);
    return call(keyed(sqe, 0x40, 0, 1024));
  }

  /** Connects the queue that the private data names. */
  void connect(String subsystem, int cntlid) {
    int queueId = PrivateData.Request.parse(privateData).queueId();
    Reply reply = tryConnect(queueId, 31, subsystem, cntlid);
    assertThat(reply.status()).isZero();
    controllerId = (int) reply.result() & 0xffff;
  }

  void enable() {
    byte[] sqe = sqe(Opcode.FABRICS, Opcode.PROPERTY_SET);
    view(sqe).putInt(44, 0x14).putLong(48, 0x00460001);
    assertThat(call(sqe).status()).isZero();
  }

  void put(long offset, byte[] bytes) {
    MemorySegment.copy(bytes, 0, data.segment(), ValueLayout.JAVA_BYTE, offset, bytes.length);
  }

  byte[] get(long offset, int length) {
    return data.segment().asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  void close() {
    if (closed) {
      return;
    }
    closed = true;
    world.hostLoop.run(() -> {
      QueuePair made = queuePair;
      if (made != null) {
        made.close();
      }
      Objects.requireNonNull(id).close();
      completions.close();
      windows.forEach(MemoryWindow::close);
      receives.close();
      capsules.close();
      data.close();
      domain.close();
      context.close();
      arena.close();
    });
  }
}
