package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Crc32c;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.capture.TcpCapture;
import io.remora.verbs.tck.SimulatedFabric;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A peer that breaks the protocol, against the accepting end: each violation is answered by the Terminate that the RFCs name, nothing is touched, and everything can be closed. */
class IwarpViolationTest {
  private static final int BYTES = 4096;
  private static final byte[] REQUEST = new Mpa(false, Mpa.ENHANCED, 2, new Mpa.Enhanced(1, 2), new byte[0]).encode();
  private static final int REPLY_BYTES = 24;

  /** The accepting end, with one connection. */
  private static final class Target implements CmId.Handler, AutoCloseable {
    private final SimulatedFabric fabric;
    private final Context context;
    private final ProtectionDomain domain;
    private final CompletionQueue completions;
    private final Arena arena;
    final MemorySegment memory;
    final MemoryRegion region;
    final MemoryRegion readable;
    final CmListener listener;
    final List<AsyncEvent> events = new ArrayList<>();
    private final int receives;
    @Nullable
    CmId id;
    @Nullable
    QueuePair queuePair;
    int requests;
    int established;
    @Nullable
    Status end;
    String endText = "";

    Target(SimulatedFabric fabric, int receives) {
      this.fabric = fabric;
      this.receives = receives;
      this.context = fabric.on(1, () -> fabric.provider().open(fabric.loop(1), "iwarp0"));
      this.domain = fabric.on(1, context::allocateProtectionDomain);
      this.completions = fabric.on(1, () -> context.createCompletionQueue(64, null));
      this.arena = fabric.on(1, () -> context.loop().newArena());
      this.memory = fabric.on(1, () -> context.allocate(arena, 2 * BYTES));
      this.region = fabric.on(1, () -> domain.register(memory.asSlice(0, BYTES),
          Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE));
      this.readable = fabric.on(1, () -> domain.register(memory.asSlice(BYTES, BYTES), Access.REMOTE_READ));
      fabric.run(1, () -> context.onAsyncEvent(events::add));
      this.listener = fabric.on(1,
          () -> context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> {
            requests++;
            CmId accepted = request.attach(context, this);
            QueuePair made = accepted.createQueuePair(domain, QueuePairConfig.rc(completions, 8, 8));
            for (int i = 0; i < receives; i++) {
              made.postReceive(new ReceiveRequest().id(i).piece(region, i * 64L, 64));
            }
            id = accepted;
            queuePair = made;
            accepted.accept(CmId.Parameters.DEFAULT);
          }));
    }

    int receives() {
      return receives;
    }

    QueuePairState state() {
      return fabric.on(1, () -> Objects.requireNonNull(queuePair).state());
    }

    byte[] bytes() {
      return fabric.on(1, () -> memory.toArray(ValueLayout.JAVA_BYTE));
    }

    WorkCompletions poll() {
      return fabric.on(1, () -> {
        WorkCompletions polled = new WorkCompletions(32);
        completions.poll(polled);
        return polled;
      });
    }

    @Override
    public void onEstablished(CmId.Established connection) {
      established++;
    }

    @Override
    public void onFailed(Status reason, String text) {
      onDisconnected(reason, text);
    }

    @Override
    public void onDisconnected(Status reason, String text) {
      assertThat(end).as("the end is told once").isNull();
      end = reason;
      endText = text;
    }

    @Override
    public void close() {
      fabric.run(1, () -> {
        if (queuePair != null) {
          queuePair.close();
        }
        if (id != null) {
          id.close();
        }
        listener.close();
        completions.close();
        readable.close();
        region.close();
        domain.close();
        context.close();
        arena.close();
      });
    }
  }

  /** Frames, written one after the other. */
  private static final class Frames {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final boolean crc;

    Frames(boolean crc) {
      this.crc = crc;
    }

    /** Adds a frame whose header {@code header} writes, with {@code payload} bytes of 0x41. */
    Frames add(int headerBytes, int payload, BiConsumer<MemorySegment, Long> header) {
      try (Arena arena = Arena.ofConfined()) {
        int length = headerBytes + payload - Fpdu.LENGTH_BYTES;
        MemorySegment s = arena.allocate(Fpdu.frameBytes(length));
        s.asSlice(headerBytes, payload).fill((byte) 0x41);
        header.accept(s, 0L);
        long end = s.byteSize() - Fpdu.CRC_BYTES;
        s.set(Fpdu.LE32, end, crc ? new Crc32c().of(s, 0, end) : 0);
        out.writeBytes(s.toArray(ValueLayout.JAVA_BYTE));
      }
      return this;
    }

    Frames write(int key, long to, int payload) {
      return add(Rdmap.TAGGED_BYTES, payload, (s, at) -> Fpdu.tagged(s, at, Rdmap.WRITE, true, payload, key, to));
    }

    Frames send(int opcode, boolean last, int payload, int word, int sequence, int offset) {
      return add(Rdmap.UNTAGGED_BYTES, payload,
          (s, at) -> Fpdu.untagged(s, at, opcode, last, Rdmap.UNTAGGED_BYTES + payload, word, sequence, offset));
    }

    Frames read(int key, long from, int length, int sequence) {
      return add(Rdmap.READ_REQUEST_BYTES, 0, (s, at) -> Fpdu.readRequest(s, at, sequence, 99, 0, length, key, from));
    }

    byte[] bytes() {
      return out.toByteArray();
    }
  }

  private static SimulatedFabric fabric(IwarpProvider.Config config) {
    return new SimulatedFabric(new IwarpProvider(config), "iwarp0", 5);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      write, wrong key                 | 1100
      write, key zero                  | 1100
      write, behind the end            | 1101
      write, before the beginning      | 1101
      write, over the end of addresses | 1103
      write, no right                  | 1100
      write, key of another domain     | 1102
      read, wrong key                  | 100
      read, behind the end             | 101
      read, over the end of addresses  | 104
      read, out of order               | 1203
      read, one too many               | 207
      read response, unasked           | 1100
      message, wrong queue             | 1201
      message, out of order            | 1203
      message, begins in the middle    | 1204
      message, gap                     | 1204
      message, changes its kind        | 206
      message, too long                | 1205
      message, none posted             | 1202
      message, cannot invalidate       | 109
      message, invalidates a region    | 109
      DDP version, tagged              | 1104
      DDP version, untagged            | 1206
      RDMAP version                    | 205
      unknown operation                | 206
      atomic of a foreign peer         | 206
      tag where there is none          | 206
      too short                        | 2003
      read request too long            | 2003
      """)
  void eachViolationIsAnsweredByItsCode(String what, String expected) {
    for (boolean crc : new boolean[] {false, true}) {
      violation(what, HexCause.parse(expected), crc);
    }
  }

  private static void violation(String what, int expected, boolean crc) {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT.withCrc(crc));
        Target target = new Target(fabric, 2)) {
      byte[] before = target.bytes();
      ProtectionDomain foreign = fabric.on(1, target.context::allocateProtectionDomain);
      MemoryRegion elsewhere = fabric.on(1,
          () -> foreign.register(target.memory, Access.LOCAL_WRITE | Access.REMOTE_WRITE));
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(REQUEST);
      peer.awaitHeard(REPLY_BYTES);
      peer.send(bad(what, target, elsewhere, crc));
      peer.awaitEnd();
      fabric.await(1, "the end", () -> target.end != null);
      byte[] heard = peer.heard();
      MemorySegment last = MemorySegment.ofArray(heard);
      int terminateAt = lastFrame(last);
      assertThat(Fpdu.opcode(Fpdu.control(last, terminateAt))).as("%s: the last frame is a Terminate", what)
          .isEqualTo(Rdmap.TERMINATE);
      assertThat(Terminate.text(Terminate.cause(Fpdu.terminateWord(last, terminateAt)))).as(what)
          .isEqualTo(Terminate.text(expected));
      if (crc) {
        int sumAt = heard.length - Fpdu.CRC_BYTES;
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment copy = arena.allocate(heard.length);
          copy.copyFrom(last);
          assertThat(copy.get(Fpdu.LE32, sumAt)).isEqualTo(new Crc32c().of(copy, terminateAt, sumAt - terminateAt));
        }
      }
      assertThat(target.end).as(what).isEqualTo(Status.PROTOCOL_ERROR);
      assertThat(target.state()).isEqualTo(QueuePairState.ERROR);
      // What came before the violation may be there: the receives. The rest is as it was.
      byte[] after = target.bytes();
      assertThat(Arrays.copyOfRange(after, 128, after.length)).as(what)
          .isEqualTo(Arrays.copyOfRange(before, 128, before.length));
      fabric.run(1, elsewhere::close);
      fabric.run(1, foreign::close);
    }
  }

  /** Where the last frame behind the Reply begins. */
  private static int lastFrame(MemorySegment heard) {
    int at = REPLY_BYTES;
    while (true) {
      int next = at + Fpdu.frameBytes(Fpdu.ulpduLength(heard, at));
      if (next >= heard.byteSize()) {
        assertThat(next).as("the end of the last frame").isEqualTo((int) heard.byteSize());
        return at;
      }
      at = next;
    }
  }

  private static byte[] bad(String what, Target target, MemoryRegion elsewhere, boolean crc) {
    Frames f = new Frames(crc);
    int key = target.region.remoteKey();
    long address = target.region.address();
    switch (what) {
      case "write, wrong key" -> f.write(key ^ 0x700, address, 64);
      case "write, key zero" -> f.write(0, address, 64);
      case "write, behind the end" -> f.write(key, address + BYTES - 63, 64);
      case "write, before the beginning" -> f.write(key, address - 1, 64);
      case "write, over the end of addresses" -> f.write(key, -32, 64);
      case "write, no right" -> f.write(target.readable.remoteKey(), target.readable.address(), 64);
      case "write, key of another domain" -> f.write(elsewhere.remoteKey(), elsewhere.address(), 64);
      case "read, wrong key" -> f.read(key ^ 0x700, address, 64, 1);
      case "read, behind the end" -> f.read(key, address + BYTES, 1, 1);
      case "read, over the end of addresses" -> f.read(key, -32, 64, 1);
      case "read, out of order" -> f.read(key, address, 64, 2);
      // 16 are agreed on: all in one piece, so that none is answered before the last has come.
      case "read, one too many" -> {
        for (int i = 1; i <= 17; i++) {
          f.read(key, address, 64, i);
        }
      }
      case "read response, unasked" -> f.add(Rdmap.TAGGED_BYTES, 8,
          (s, at) -> Fpdu.tagged(s, at, Rdmap.READ_RESPONSE, true, 8, key, address));
      case "message, wrong queue" -> f.add(Rdmap.UNTAGGED_BYTES, 4, (s, at) -> {
        Fpdu.untagged(s, at, Rdmap.SEND, true, Rdmap.UNTAGGED_BYTES + 4, 0, 1, 0);
        s.set(Fpdu.BE32, at + 8, 1);
      });
      case "message, out of order" -> f.send(Rdmap.SEND, true, 8, 0, 2, 0);
      case "message, begins in the middle" -> f.send(Rdmap.SEND, true, 8, 0, 1, 8);
      case "message, gap" -> f.send(Rdmap.SEND, false, 8, 0, 1, 0).send(Rdmap.SEND, true, 8, 0, 1, 16);
      case "message, changes its kind" ->
        f.send(Rdmap.SEND, false, 8, 0, 1, 0).send(Rdmap.SEND_SOLICITED, true, 8, 0, 1, 8);
      case "message, too long" -> f.send(Rdmap.SEND, false, 64, 0, 1, 0).send(Rdmap.SEND, true, 1, 0, 1, 64);
      case "message, none posted" -> {
        for (int i = 1; i <= target.receives() + 1; i++) {
          f.send(Rdmap.SEND, true, 8, 0, i, 0);
        }
      }
      case "message, cannot invalidate" -> f.send(Rdmap.SEND_INVALIDATE, true, 8, key ^ 0x700, 1, 0);
      case "message, invalidates a region" -> f.send(Rdmap.SEND_INVALIDATE, true, 8, key, 1, 0);
      case "DDP version, tagged" -> control(f, 0xc240, Rdmap.TAGGED_BYTES);
      case "DDP version, untagged" -> control(f, 0x4043, Rdmap.UNTAGGED_BYTES);
      case "RDMAP version" -> control(f, 0x4183, Rdmap.UNTAGGED_BYTES);
      case "unknown operation" -> control(f, 0x414f, Rdmap.UNTAGGED_BYTES);
      case "atomic of a foreign peer" -> control(f, 0x414a, Rdmap.ATOMIC_REQUEST_BYTES);
      case "tag where there is none" -> control(f, 0xc143, Rdmap.UNTAGGED_BYTES);
      case "too short" -> f.add(10, 0, (s, at) -> s.set(Fpdu.BE16, at, (short) 8));
      case "read request too long" -> f.add(Rdmap.READ_REQUEST_BYTES, 4, (s, at) -> {
        Fpdu.readRequest(s, at, 1, 0, 0, 4, key, address);
        s.set(Fpdu.BE16, at, (short) (Rdmap.READ_REQUEST_BYTES + 4 - Fpdu.LENGTH_BYTES));
      });
      default -> throw new AssertionError(what);
    }
    return f.bytes();
  }

  private static void control(Frames f, int control, int headerBytes) {
    f.add(headerBytes, 0, (s, at) -> {
      Fpdu.untagged(s, at, Rdmap.SEND, true, headerBytes, 0, 1, 0);
      s.set(Fpdu.BE16, at + 2, (short) control);
    });
  }

  @Test
  void aWrongChecksumIsAnsweredByItsCode() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT.withCrc(true));
        Target target = new Target(fabric, 2)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(REQUEST);
      peer.awaitHeard(REPLY_BYTES);
      byte[] frame = new Frames(true).write(target.region.remoteKey(), target.region.address(), 64).bytes();
      frame[40] ^= 1;
      peer.send(frame);
      peer.awaitEnd();
      MemorySegment heard = MemorySegment.ofArray(peer.heard());
      assertThat(Terminate.cause(Fpdu.terminateWord(heard, lastFrame(heard)))).isEqualTo(Terminate.CRC);
      assertThat(target.bytes()).containsOnly(0);
    }
  }

  @Test
  void theTerminateBringsTheHeaderThatWasWrong() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 2)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(REQUEST);
      peer.awaitHeard(REPLY_BYTES);
      byte[] frame = new Frames(false).read(target.region.remoteKey(), target.region.address() + 1, BYTES, 1).bytes();
      peer.send(frame);
      peer.awaitEnd();
      byte[] heard = peer.heard();
      int at = lastFrame(MemorySegment.ofArray(heard)) + Rdmap.TERMINATE_MIN_BYTES;
      assertThat(Arrays.copyOfRange(heard, at, at + Rdmap.READ_REQUEST_BYTES))
          .isEqualTo(Arrays.copyOf(frame, Rdmap.READ_REQUEST_BYTES));
    }
  }

  @ParameterizedTest
  @CsvSource({"verbs-siw-bad-key,1100", "verbs-siw-rnr,1202"})
  void whatSiwsClientsSaidIsAnsweredAsSiwAnsweredIt(String capture, String cause) throws IOException {
    byte[] said = TcpCapture.of(capture).getFirst().bytes().array();
    int requestBytes = Mpa.HEAD_BYTES + Mpa.dataBytes(MemorySegment.ofArray(said), false);
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 0)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(Arrays.copyOf(said, requestBytes));
      peer.awaitHeard(REPLY_BYTES);
      peer.send(Arrays.copyOfRange(said, requestBytes, said.length));
      peer.awaitEnd();
      MemorySegment heard = MemorySegment.ofArray(peer.heard());
      assertThat(Terminate.cause(Fpdu.terminateWord(heard, lastFrame(heard)))).isEqualTo(HexCause.parse(cause));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"no request", "revision 3", "reply", "too much data", "half a request"})
  void whatIsNoRequestIsClosedWithoutAWord(String what) {
    byte[] request = REQUEST.clone();
    switch (what) {
      case "no request" -> request[0] = 'X';
      case "revision 3" -> request[17] = 3;
      case "reply" -> request[9] = 'p';
      case "too much data" -> request[18] = 3;
      default -> request = Arrays.copyOf(request, 22);
    }
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 0)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(request);
      peer.awaitEnd();
      assertThat(peer.heard()).isEmpty();
      assertThat(target.requests).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"markers", "short enhanced data"})
  void whatCannotBeAgreedOnIsRejected(String what) {
    byte[] request = what.equals("markers")
        ? new Mpa(false, Mpa.MARKERS | Mpa.ENHANCED, 2, new Mpa.Enhanced(1, 1), new byte[0]).encode()
        : new Mpa(false, Mpa.ENHANCED, 2, null, new byte[] {1, 2}).encode();
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 0)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(request);
      peer.awaitHeard(Mpa.HEAD_BYTES);
      peer.finish();
      peer.awaitEnd();
      Mpa reply = Mpa.parse(MemorySegment.ofArray(peer.heard()), true);
      assertThat(reply.has(Mpa.REJECT)).isTrue();
      assertThat(reply.has(Mpa.MARKERS)).isFalse();
      assertThat(target.requests).isZero();
    }
  }

  @Test
  void nothingMayFollowARequestBeforeItsReply() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 0)) {
      fabric.simulation().net().fragments(false);
      List<CmId> attached = new ArrayList<>();
      List<Status> failures = new ArrayList<>();
      CmListener slow = fabric.on(1,
          () -> target.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> attached.add(
              request.attach(target.context, new CmId.Handler() {
                @Override
                public void onEstablished(CmId.Established connection) {}

                @Override
                public void onFailed(Status reason, String text) {
                  failures.add(reason);
                }

                @Override
                public void onDisconnected(Status reason, String text) {}
              }))));
      RawPeer peer = RawPeer.connect(fabric, slow.localAddress());
      peer.send(REQUEST);
      peer.send(new byte[] {0});
      peer.awaitEnd();
      assertThat(peer.heard()).isEmpty();
      assertThat(failures).containsExactly(Status.PROTOCOL_ERROR);
      fabric.run(1, () -> {
        attached.getFirst().close();
        slow.close();
      });
    }
  }

  @Test
  void thePeersTerminateIsTold() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 2)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(REQUEST);
      peer.awaitHeard(REPLY_BYTES);
      peer.send(new Frames(false)
          .add(Rdmap.TERMINATE_MIN_BYTES, 0, (s, at) -> Fpdu.terminate(s, at, Terminate.TAGGED_BOUNDS, s, 0, 0))
          .bytes());
      fabric.await(1, "the end", () -> target.end != null);
      assertThat(target.end).isEqualTo(Status.DISCONNECTED);
      assertThat(target.endText).contains("the range is not inside", "layer 1, type 1, code 1");
      assertThat(target.events).hasSize(1);
      assertThat(target.events.getFirst().kind()).isEqualTo(AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR);
      assertThat(target.events.getFirst().text()).contains("layer 1, type 1, code 1");
      assertThat(target.poll().count()).as("flushed receives").isEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theEndOfTheStreamInAFrameIsNoOrderlyEnd(boolean crc) {
    byte[] frame = new Frames(crc).send(Rdmap.SEND, true, 40, 0, 1, 0).bytes();
    for (int length = 0; length <= frame.length; length++) {
      try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT.withCrc(crc));
          Target target = new Target(fabric, 2)) {
        RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
        peer.send(REQUEST);
        peer.awaitHeard(REPLY_BYTES);
        peer.send(Arrays.copyOf(frame, length));
        peer.finish();
        fabric.await(1, "the end", () -> target.end != null);
        boolean whole = length == 0 || length == frame.length;
        assertThat(target.end).as("after %d bytes", length).isEqualTo(whole ? Status.OK : Status.DISCONNECTED);
        peer.awaitEnd();
      }
    }
  }

  @Test
  void sendsOfTheAcceptingEndWaitForThePeersFirstFrame() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT); Target target = new Target(fabric, 2)) {
      RawPeer peer = RawPeer.connect(fabric, target.listener.localAddress());
      peer.send(REQUEST);
      peer.awaitHeard(REPLY_BYTES);
      fabric.run(1,
          () -> Objects.requireNonNull(target.queuePair).postSend(new SendRequest().id(1).piece(target.region, 0, 8)));
      fabric.simulation().runFor(11_000_000_000L);
      assertThat(peer.heard()).hasSize(REPLY_BYTES);
      assertThat(target.events).hasSize(1);
      assertThat(target.events.getFirst().text()).contains("the connecting end must be the first to send");
      peer.send(new Frames(false).write(1, 0, 0).bytes());
      peer.awaitHeard(REPLY_BYTES + 32);
      MemorySegment heard = MemorySegment.ofArray(peer.heard());
      assertThat(Fpdu.opcode(Fpdu.control(heard, REPLY_BYTES))).isEqualTo(Rdmap.SEND);
      assertThat(target.end).isNull();
      assertThat(target.established).as("told once, with the Reply").isEqualTo(1);
    }
  }

  /** A cause in hexadecimal digits. */
  private static final class HexCause {
    static int parse(String digits) {
      return Integer.parseInt(digits, 16);
    }
  }
}
