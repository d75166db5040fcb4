package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.tck.SimulatedFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The connecting end, with peers of other kinds, whose replies the test writes. */
class IwarpForeignPeerTest {
  /** With the enhanced data, and without private data. */
  private static final int REQUEST_BYTES = 24;

  /** The connecting end, with one connection. */
  private static final class Host implements CmId.Handler, AutoCloseable {
    private final SimulatedFabric fabric;
    private final Context context;
    private final ProtectionDomain domain;
    private final CompletionQueue completions;
    private final Arena arena;
    final MemorySegment memory;
    final MemoryRegion region;
    final List<AsyncEvent> events = new ArrayList<>();
    private @Nullable CmId id;
    @Nullable
    QueuePair queuePair;
    CmId.@Nullable Established established;
    @Nullable
    Status end;
    String endText = "";
    boolean rejected;

    Host(SimulatedFabric fabric, RawPeer peer) {
      this.fabric = fabric;
      this.context = fabric.on(1, () -> fabric.provider().open(fabric.loop(1), "iwarp0"));
      this.domain = fabric.on(1, context::allocateProtectionDomain);
      this.completions = fabric.on(1, () -> context.createCompletionQueue(64, null));
      this.arena = fabric.on(1, () -> context.loop().newArena());
      this.memory = fabric.on(1, () -> context.allocate(arena, 4096));
      this.region = fabric.on(1, () -> domain.register(memory, Access.LOCAL_WRITE));
      fabric.run(1, () -> context.onAsyncEvent(events::add));
      InetSocketAddress address = peer.address();
      fabric.run(1, () -> id = context.connectionManager().resolve(address, QueuePairType.RC, this));
    }

    @Override
    public void onResolved() {
      CmId resolved = Objects.requireNonNull(id);
      QueuePair made = resolved.createQueuePair(domain, QueuePairConfig.rc(completions, 8, 8));
      made.postReceive(new ReceiveRequest().id(1).piece(region, 0, 64));
      queuePair = made;
      resolved.connect(new CmId.Parameters(MemorySegment.NULL, 4, 4));
    }

    @Override
    public void onEstablished(CmId.Established connection) {
      established = connection;
    }

    @Override
    public void onRejected(int reason, MemorySegment privateData) {
      rejected = true;
    }

    @Override
    public void onFailed(Status reason, String text) {
      end = reason;
      endText = text;
    }

    @Override
    public void onDisconnected(Status reason, String text) {
      end = reason;
      endText = text;
    }

    Status post(SendRequest request) {
      return fabric.on(1, () -> Objects.requireNonNull(queuePair).postSend(request));
    }

    @Override
    public void close() {
      fabric.run(1, () -> {
        if (queuePair != null) {
          queuePair.close();
        }
        Objects.requireNonNull(id).close();
        completions.close();
        region.close();
        domain.close();
        context.close();
        arena.close();
      });
    }
  }

  private static SimulatedFabric fabric(IwarpProvider.Config config) {
    return new SimulatedFabric(new IwarpProvider(config), "iwarp0", 9);
  }

  private static byte[] reply(int bits, int ird, int ord) {
    return new Mpa(true, bits | Mpa.ENHANCED, 2, new Mpa.Enhanced(ird, ord), new byte[0]).encode();
  }

  @Test
  void aPeerThatSendsTheBitsOfTheRequestBackIsNotTakenForOneOfOurs() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT)) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(REQUEST_BYTES);
        Mpa request = Mpa.parse(MemorySegment.ofArray(peer.heard()), false);
        assertThat(request.has(Mpa.OFFER)).isTrue();
        byte[] echo = peer.heard();
        echo[9] = 'p';
        peer.send(echo);
        fabric.await(1, "the connection", () -> host.established != null);
        assertThat(host.post(new SendRequest().piece(host.region, 0, 8).fetchAndAdd(0, 1, 1)))
            .isEqualTo(Status.UNSUPPORTED);
        assertThat(host.post(new SendRequest().piece(host.region, 0, 8).sendWithImmediate(1)))
            .isEqualTo(Status.UNSUPPORTED);
        fabric.settle();
        assertThat(host.events).hasSize(1);
        assertThat(host.events.getFirst().text()).contains("provider iwarp", "FETCH_AND_ADD");
        fabric.run(1, () -> {
          QueuePair queuePair = Objects.requireNonNull(host.queuePair);
          assertThat(queuePair.whyUnsupported(SendOpcode.SEND_WITH_IMMEDIATE))
              .contains("provider iwarp", "SEND_WITH_IMMEDIATE", "the peer");
          assertThat(queuePair.whyUnsupported(SendOpcode.READ)).isNull();
        });
        assertThat(host.post(new SendRequest().piece(host.region, 0, 8).send())).isEqualTo(Status.OK);
        peer.awaitHeard(REQUEST_BYTES + 20 + 32);
        MemorySegment heard = MemorySegment.ofArray(peer.heard());
        assertThat(Fpdu.control(heard, REQUEST_BYTES)).as("the empty Write of the beginning").isEqualTo(0xc140);
        assertThat(Fpdu.control(heard, REQUEST_BYTES + 20)).isEqualTo(0x4143);
      }
    }
  }

  @Test
  void itBeginsByAReadWhenThatIsWhatThePeerTakes() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT)) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(REQUEST_BYTES);
        peer.send(reply(0, 4 | Mpa.Enhanced.PEER_TO_PEER, 4 | Mpa.Enhanced.START_READ));
        peer.awaitHeard(REQUEST_BYTES + 52);
        MemorySegment heard = MemorySegment.ofArray(peer.heard());
        assertThat(Fpdu.control(heard, REQUEST_BYTES)).isEqualTo(0x4141);
        assertThat(Fpdu.readLength(heard, REQUEST_BYTES)).isZero();
        MemorySegment answer = MemorySegment.ofArray(new byte[20]);
        Fpdu.tagged(answer, 0, Rdmap.READ_RESPONSE, true, 0, Fpdu.readSinkKey(heard, REQUEST_BYTES), 0);
        peer.send(answer.toArray(ValueLayout.JAVA_BYTE));
        fabric.settle();
        assertThat(host.end).isNull();
        assertThat(host.established).isNotNull();
      }
    }
  }

  @Test
  void whatFollowsTheReplyAtOnceIsTakenAsFrames() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT.withPeerToPeer(false))) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(REQUEST_BYTES);
        byte[] reply = reply(0, 4, 4);
        byte[] both = Arrays.copyOf(reply, reply.length + 32);
        MemorySegment frame = MemorySegment.ofArray(both).asSlice(reply.length);
        Fpdu.untagged(frame, 0, Rdmap.SEND, true, Rdmap.UNTAGGED_BYTES + 8, 0, 1, 0);
        frame.set(Fpdu.BE64, Rdmap.UNTAGGED_BYTES, 0x0102030405060708L);
        peer.send(both);
        WorkCompletions polled = new WorkCompletions(4);
        fabric.await(1, "the message", () -> host.completions.poll(polled) == 1);
        assertThat(polled.ok(0)).isTrue();
        assertThat(fabric.on(1, () -> host.memory.get(Fpdu.BE64, 0))).isEqualTo(0x0102030405060708L);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"too many reads,2006", "nothing in common,2007"})
  void whatCannotBeAgreedOnIsAnsweredByATerminate(String what, String cause) {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT)) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(REQUEST_BYTES);
        peer.send(what.equals("too many reads") ? reply(0, 4, 129) : reply(0, 4 | Mpa.Enhanced.PEER_TO_PEER, 4));
        fabric.await(1, "the end", () -> host.end != null);
        assertThat(host.end).isEqualTo(Status.PROTOCOL_ERROR);
        peer.finish();
        peer.awaitEnd();
        MemorySegment heard = MemorySegment.ofArray(peer.heard());
        assertThat(Integer.toHexString(Terminate.cause(Fpdu.terminateWord(heard, REQUEST_BYTES)))).isEqualTo(cause);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"rejected,", "markers,UNSUPPORTED", "revision 3,PROTOCOL_ERROR", "request,PROTOCOL_ERROR",
    "silence,TIMED_OUT", "end,DISCONNECTED"})
  void otherRepliesAreFailures(String what, @Nullable Status expected) {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT)) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(REQUEST_BYTES);
        byte[] reply = reply(what.equals("rejected") ? Mpa.REJECT : what.equals("markers") ? Mpa.MARKERS : 0, 4, 4);
        switch (what) {
          case "revision 3" -> reply[17] = 3;
          case "request" -> reply[9] = 'q';
          default -> {
          }
        }
        if (what.equals("end")) {
          peer.finish();
        } else if (!what.equals("silence")) {
          peer.send(reply);
        }
        fabric.await(1, "the end", () -> host.end != null || host.rejected);
        assertThat(host.end).as(host.endText).isEqualTo(expected);
        assertThat(host.rejected).isEqualTo(expected == null);
        assertThat(host.established).isNull();
      }
    }
  }

  @Test
  void aPeerOfRevision1AgreesOnNoReads() {
    try (SimulatedFabric fabric = fabric(IwarpProvider.Config.DEFAULT.withRevision(1))) {
      RawPeer peer = RawPeer.listen(fabric);
      try (Host host = new Host(fabric, peer)) {
        peer.awaitHeard(Mpa.HEAD_BYTES);
        Mpa request = Mpa.parse(MemorySegment.ofArray(peer.heard()), false);
        assertThat(request.revision()).isEqualTo(1);
        assertThat(request.enhanced()).isNull();
        peer.send(new Mpa(true, 0, 1, null, new byte[] {7}).encode());
        fabric.await(1, "the connection", () -> host.established != null);
        CmId.Established agreed = Objects.requireNonNull(host.established);
        assertThat(agreed.initiatorDepth()).isEqualTo(4);
        assertThat(agreed.privateData().toArray(ValueLayout.JAVA_BYTE)).containsExactly(7);
      }
    }
  }
}
