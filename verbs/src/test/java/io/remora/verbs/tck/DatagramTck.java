package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Conformance: unreliable queue pairs, and such as are connected without the connection manager. */
public interface DatagramTck extends Conformance {
  @Test
  default void datagramsReachWhoeverHasTheKey() {
    try (Fabric fabric = open()) {
      End probe = new End(fabric, 0);
      boolean can = probe.can(Capability.UD);
      if (!can) {
        Refusal.of(
            () -> fabric.on(0,
                () -> probe.context.connectionManager().resolve(fabric.address(0), QueuePairType.UD, probe)),
            fabric, "UD");
        Refusal.of(() -> fabric.on(0, () -> probe.domain.createAddressHandle(fabric.address(0))), fabric,
            "address handle");
      }
      probe.close();
      if (!can) {
        return;
      }
      try (Pair pair = Pair.datagrams(fabric)) {
        CmId.Established way = Objects.requireNonNull(pair.one.established);
        AddressHandle destination = Objects.requireNonNull(way.destination());
        pair.other.receive(1, 0, 1000 + ReceiveRequest.ROUTE_HEADER_BYTES);
        pair.other.receive(2, 2000, 1000 + ReceiveRequest.ROUTE_HEADER_BYTES);
        byte[] sent = pair.one.fill(0, 1000, 8);
        pair.one.post(pair.one.request(5, 0, 1000).send().to(destination, way.queuePair(), way.queueKey() + 1));
        pair.one.ok(5);
        pair.one.post(pair.one.request(6, 0, 1000).send().to(destination, way.queuePair(), way.queueKey()));
        pair.one.ok(6);
        End.Completion completion = pair.other.ok(1);
        assertThat(completion.length()).isEqualTo(1000 + ReceiveRequest.ROUTE_HEADER_BYTES);
        assertThat(completion.source()).isEqualTo(pair.one.queuePair.number());
        assertThat(pair.other.bytes(ReceiveRequest.ROUTE_HEADER_BYTES, 1000)).isEqualTo(sent);
        assertThat(pair.other.silent()).as("a datagram with the wrong key").isTrue();
        // Too many for the receives: lost, and nobody is worse for it.
        for (int i = 0; i < 5; i++) {
          pair.one.post(pair.one.request(i, 0, 10).send().to(destination, way.queuePair(), way.queueKey()));
          pair.one.ok(i);
        }
        pair.other.ok(2);
        assertThat(pair.other.silent()).isTrue();
        assertThat(pair.other.state()).isEqualTo(QueuePairState.READY_TO_SEND);
        int most = pair.one.context.attributes().maxDatagramBytes();
        assertThat(
            pair.one.tryPost(pair.one.request(9, 0, most + 1).send().to(destination, way.queuePair(), way.queueKey())))
            .isEqualTo(Status.INVALID);
        assertThat(pair.one.tryPost(pair.one.request(9, 0, 8).read(0, 0))).isEqualTo(Status.UNSUPPORTED);
        assertThat(pair.one.tryPost(pair.one.request(9, 0, 8).send())).as("a datagram to nowhere")
            .isEqualTo(Status.INVALID);
        assertThat(pair.one.state()).isEqualTo(QueuePairState.READY_TO_SEND);
      }
    }
  }

  @Test
  default void unreliableConnectionsByHand() {
    byHand(QueuePairType.UC);
  }

  @Test
  default void reliableConnectionsByHand() {
    byHand(QueuePairType.RC);
  }

  private void byHand(QueuePairType type) {
    try (Fabric fabric = open()) {
      End one = new End(fabric, 0);
      End other = new End(fabric, 1);
      if (!one.can(Capability.MANUAL_CONNECTION) || !one.can(type.capability())) {
        Refusal.of(() -> fabric.on(0, () -> one.domain.createQueuePair(one.config().withType(type))), fabric,
            "queue pair");
        one.close();
        other.close();
        return;
      }
      one.queuePair = fabric.on(0, () -> one.domain.createQueuePair(one.config().withType(type)));
      other.queuePair = fabric.on(1, () -> other.domain.createQueuePair(other.config().withType(type)));
      assertThat(one.state()).isEqualTo(QueuePairState.RESET);
      assertThat(fabric.on(0, () -> one.queuePair.postReceive(new ReceiveRequest()))).isEqualTo(Status.INVALID);
      up(fabric, one, other);
      up(fabric, other, one);
      fabric.run(0, () -> one.queuePair.modify(QueuePairAttributes.send(100)));
      fabric.run(1, () -> other.queuePair.modify(QueuePairAttributes.send(100)));
      other.receive(1, 0, 5000);
      byte[] sent = one.fill(0, 5000, 2);
      one.post(one.request(2, 0, 5000).send());
      one.ok(2);
      assertThat(other.ok(1).length()).isEqualTo(5000);
      assertThat(other.bytes(0, 5000)).isEqualTo(sent);
      one.post(one.request(3, 0, 5000).write(other.address(10_000), other.key()));
      one.ok(3);
      fabric.await(1, "the write",
          () -> other.memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 14_999) == sent[4999]);
      if (type == QueuePairType.UC) {
        assertThat(one.tryPost(one.request(4, 0, 8).read(other.address(0), other.key()))).isEqualTo(Status.UNSUPPORTED);
        // No receive: lost.
        one.post(one.request(5, 0, 8).send());
        one.ok(5);
        assertThat(other.silent()).isTrue();
      }
      one.close();
      other.close();
    }
  }

  private static void up(Fabric fabric, End end, End peer) {
    AddressHandle way = fabric.on(end.index, () -> end.domain.createAddressHandle(fabric.address(peer.index)));
    end.more(way);
    fabric.run(end.index, () -> {
      end.queuePair.modify(QueuePairAttributes.init(0, end.allAccess()));
      end.queuePair.modify(QueuePairAttributes.receive(way, peer.queuePair.number(), 100));
    });
  }
}
