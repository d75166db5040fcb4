package io.remora.verbs.tck;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Conformance: connections come about, are refused, end and are cleaned up. */
public interface ConnectionTck extends Conformance {
  private static MemorySegment bytes(int... values) {
    byte[] data = new byte[values.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) values[i];
    }
    return MemorySegment.ofArray(data);
  }

  @Test
  default void privateDataAndDepthsGoBothWays() {
    try (Fabric fabric = open()) {
      End one = new End(fabric, 0);
      End other = new End(fabric, 1);
      List<CmRequest> requests = new ArrayList<>();
      CmListener listener = fabric.on(1,
          () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, requests::add));
      one.id = fabric.on(0,
          () -> one.context.connectionManager().resolve(listener.localAddress(), QueuePairType.RC, one));
      fabric.await(0, "the way", () -> one.resolved);
      fabric.run(0, () -> {
        one.queuePair = one.id.createQueuePair(one.domain, one.config());
        one.id.connect(new CmId.Parameters(bytes(1, 2, 3), 4, 7));
      });
      fabric.await(1, "the request", () -> !requests.isEmpty());
      CmRequest request = requests.getFirst();
      assertThat(request.privateData().asSlice(0, 3).toArray(JAVA_BYTE)).containsExactly(1, 2, 3);
      // What the one wants to read is what the other serves.
      assertThat(request.responderResources()).isEqualTo(7);
      assertThat(request.initiatorDepth()).isEqualTo(4);
      if (!fabric.provider().name().equals("sim")) {
        assertThat(request.remoteAddress().getAddress()).isEqualTo(fabric.address(0).getAddress());
      }
      fabric.run(1, () -> {
        other.id = request.attach(other.context, other);
        other.queuePair = other.id.createQueuePair(other.domain, other.config());
        other.queuePair.postReceive(new ReceiveRequest().id(3).piece(other.region, 0, 64));
        other.id.accept(new CmId.Parameters(bytes(9, 8), 7, 4));
      });
      fabric.await(0, "the connection", () -> one.established != null);
      CmId.Established agreed = Objects.requireNonNull(one.established);
      assertThat(agreed.privateData().asSlice(0, 2).toArray(JAVA_BYTE)).containsExactly(9, 8);
      assertThat(agreed.initiatorDepth()).isBetween(1, 7);
      assertThat(agreed.responderResources()).isBetween(1, 128);
      one.post(one.request(1, 0, 5));
      one.ok(1);
      other.ok(3);
      fabric.await(1, "the connection", () -> other.established != null);
      assertThat(one.id.remoteAddress()).isEqualTo(listener.localAddress());
      fabric.run(1, listener::close);
      one.close();
      other.close();
    }
  }

  @Test
  default void rejectionBringsItsReason() {
    try (Fabric fabric = open()) {
      End one = new End(fabric, 0);
      End other = new End(fabric, 1);
      CmListener listener = fabric.on(1,
          () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC,
              request -> request.reject(bytes(5, 6, 7))));
      begin(fabric, one, listener.localAddress());
      fabric.await(0, "the answer", () -> one.failure != null);
      assertThat(one.rejection).as("rejected, and not merely failed: " + one.failure).isNotNull();
      assertThat(Arrays.copyOf(Objects.requireNonNull(one.rejection), 3)).containsExactly(5, 6, 7);
      assertThat(one.state()).isNotEqualTo(QueuePairState.READY_TO_SEND);
      fabric.run(1, listener::close);
      one.close();
      other.close();
    }
  }

  @Test
  default void nobodyListens() {
    try (Fabric fabric = open()) {
      End one = new End(fabric, 0);
      End other = new End(fabric, 1);
      CmListener listener = fabric.on(1,
          () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> {}));
      InetSocketAddress address = listener.localAddress();
      fabric.run(1, listener::close);
      begin(fabric, one, address);
      fabric.await(0, "the failure", () -> one.failure != null);
      assertThat(one.failure).isNotEqualTo(Status.OK);
      one.close();
      other.close();
    }
  }

  private static void begin(Fabric fabric, End one, InetSocketAddress address) {
    one.id = fabric.on(0, () -> one.context.connectionManager().resolve(address, QueuePairType.RC, one));
    fabric.await(0, "the way", () -> one.resolved || one.failure != null);
    if (one.failure == null) {
      fabric.run(0, () -> {
        one.queuePair = one.id.createQueuePair(one.domain, one.config());
        one.id.connect(CmId.Parameters.DEFAULT);
      });
    }
  }

  @Test
  default void addressesInUseAreRefused() {
    try (Fabric fabric = open()) {
      End other = new End(fabric, 1);
      CmListener listener = fabric.on(1,
          () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> {}));
      assertThat(listener.localAddress().getPort()).isNotZero();
      Refusal.with(Status.EXISTS, String.valueOf(listener.localAddress().getPort()), () -> fabric.on(1,
          () -> other.context.connectionManager().listen(listener.localAddress(), QueuePairType.RC, request -> {})));
      fabric.run(1, listener::close);
      CmListener again = fabric.on(1,
          () -> other.context.connectionManager().listen(listener.localAddress(), QueuePairType.RC, request -> {}));
      fabric.run(1, again::close);
      fabric.run(1, again::close);
      other.close();
    }
  }

  @Test
  default void eitherEndDisconnects() {
    for (int who = 0; who < 2; who++) {
      try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
        pair.warm();
        End quits = who == 0 ? pair.one : pair.other;
        End hears = who == 0 ? pair.other : pair.one;
        hears.receive(5, 0, 64);
        fabric.run(quits.index, quits.id::disconnect);
        fabric.await(hears.index, "the end", () -> hears.disconnection != null);
        fabric.await(quits.index, "the end", () -> quits.disconnection != null);
        assertThat(hears.next().ok()).as("a receive that is left").isFalse();
        hears.awaitError();
        quits.awaitError();
      }
    }
  }

  @Test
  default void closedQueuePairEndsTheConnection() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      pair.one.receive(1, 0, 64);
      fabric.run(0, pair.one.queuePair::close);
      fabric.run(0, pair.one.queuePair::close);
      fabric.await(1, "the end", () -> pair.other.disconnection != null);
      pair.other.awaitError();
      assertThat(pair.one.silent()).as("nothing of a closed queue pair shows").isTrue();
    }
  }

  @Test
  default void closingWorksInEveryState() {
    for (int steps = 0; steps < 8; steps++) {
      try (Fabric fabric = open()) {
        End one = new End(fabric, 0);
        End other = new End(fabric, 1);
        List<CmRequest> requests = new ArrayList<>();
        CmListener listener = fabric.on(1,
            () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, requests::add));
        if (steps > 0) {
          one.id = fabric.on(0,
              () -> one.context.connectionManager().resolve(listener.localAddress(), QueuePairType.RC, one));
        }
        if (steps > 1) {
          fabric.await(0, "the way", () -> one.resolved);
          one.queuePair = fabric.on(0, () -> one.id.createQueuePair(one.domain, one.config()));
          one.receive(1, 0, 64);
        }
        if (steps > 2) {
          fabric.run(0, () -> one.id.connect(CmId.Parameters.DEFAULT));
        }
        if (steps > 3) {
          fabric.await(1, "the request", () -> !requests.isEmpty());
        }
        if (steps > 4) {
          fabric.run(1, () -> {
            other.id = requests.removeFirst().attach(other.context, other);
            other.queuePair = other.id.createQueuePair(other.domain, other.config());
          });
        }
        if (steps > 5) {
          fabric.run(1, () -> other.id.accept(CmId.Parameters.DEFAULT));
        }
        if (steps > 6) {
          fabric.await(0, "the connection", () -> one.established != null);
          other.receive(2, 0, 64);
          one.post(one.request(3, 0, 64));
        }
        one.close();
        fabric.settle();
        fabric.run(1, () -> {
          listener.close();
          requests.forEach(request -> request.reject(MemorySegment.NULL));
        });
        other.close();
      }
    }
  }

  @Test
  default void parentsRefuseToCloseAndSayWhatIsOpen() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      Refusal.with(Status.BUSY, "protection domain", () -> fabric.run(0, pair.one.context::close));
      Refusal.with(Status.BUSY, "queue pair", () -> fabric.run(0, pair.one.domain::close));
      Refusal.with(Status.BUSY, "queue pair", () -> fabric.run(0, pair.one.completions::close));
    }
  }

  @Test
  default void queuePairsStartAnotherLifeOrAreMadeAnew() {
    try (Fabric fabric = open()) {
      End one = new End(fabric, 0);
      End other = new End(fabric, 1);
      for (int life = 0; life < 5; life++) {
        Pair.connect(one, other, End::config, CmId.Parameters.DEFAULT);
        other.receive(life, 0, 64);
        one.post(one.request(life, 0, 64));
        one.ok(life);
        other.ok(life);
        fabric.run(0, () -> {
          one.queuePair.modify(QueuePairAttributes.to(QueuePairState.RESET));
          assertThat(one.queuePair.state()).isEqualTo(QueuePairState.RESET);
          one.queuePair.close();
          one.id.close();
          one.resolved = false;
          one.established = null;
        });
        fabric.await(1, "the end", () -> other.disconnection != null);
        fabric.run(1, () -> {
          other.queuePair.close();
          other.id.close();
          other.disconnection = null;
          other.established = null;
        });
      }
      one.close();
      other.close();
    }
  }

  /** How many connections {@link #manyConnectionsAtOnce} makes; fewer where each is dear. */
  default int manyConnections() {
    return 1000;
  }

  @Test
  default void manyConnectionsAtOnce() {
    try (Fabric fabric = open()) {
      int count = manyConnections();
      End one = new End(fabric, 0, 8 * count);
      End other = new End(fabric, 1, 8 * count);
      int[] established = new int[2];
      CmListener listener = fabric.on(1,
          () -> other.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> {
            CmId id = request.attach(other.context, new Pair.Silent(() -> established[1]++));
            var queuePair = id.createQueuePair(other.domain, QueuePairConfig.rc(other.completions, 4, 4));
            queuePair.postReceive(new ReceiveRequest().id(queuePair.number()).piece(other.region, 0, 64));
            other.more(id);
            other.more(queuePair);
            id.accept(CmId.Parameters.DEFAULT);
          }));
      for (int i = 0; i < count; i++) {
        int number = i;
        fabric.run(0, () -> {
          CmId[] id = new CmId[1];
          id[0] = one.context.connectionManager().resolve(listener.localAddress(), QueuePairType.RC,
              new CmId.Handler() {
                private io.remora.verbs.@Nullable QueuePair queuePair;

                @Override
                public void onResolved() {
                  queuePair = id[0].createQueuePair(one.domain, QueuePairConfig.rc(one.completions, 4, 4));
                  one.more(id[0]);
                  one.more(queuePair);
                  id[0].connect(CmId.Parameters.DEFAULT);
                }

                @Override
                public void onEstablished(CmId.Established connection) {
                  established[0]++;
                  Objects.requireNonNull(queuePair)
                      .postSend(new SendRequest().id(number).piece(one.region, 0, 64).send());
                }

                @Override
                public void onFailed(Status reason, String text) {
                  throw new AssertionError(text);
                }

                @Override
                public void onDisconnected(Status reason, String text) {}
              });
        });
        if (i % 50 == 49) {
          int sofar = i + 1;
          fabric.await(0, sofar + " connections", () -> established[0] >= sofar);
        }
      }
      for (int i = 0; i < count; i++) {
        assertThat(one.next().ok()).isTrue();
        assertThat(other.next().ok()).isTrue();
      }
      fabric.run(1, listener::close);
      one.close();
      other.close();
    }
  }
}
