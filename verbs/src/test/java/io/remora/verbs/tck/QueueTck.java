package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.SharedReceiveQueue;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Conformance: order, completion, notification, flushing, and what waits for a receive. */
public interface QueueTck extends Conformance {
  @Test
  default void whatIsNotSupportedIsPutInWords() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      for (SendOpcode opcode : SendOpcode.values()) {
        String why = pair.one.whyUnsupported(opcode);
        if (pair.one.can(opcode.capability(QueuePairType.RC))) {
          assertThat(why).isEmpty();
        } else {
          assertThat(why).contains(fabric.provider().name(), pair.one.context.attributes().name(), opcode.name(), "; ");
        }
      }
    }
  }

  @Test
  default void requestsShowInTheOrderInWhichTheyWerePosted() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      for (int i = 0; i < 20; i++) {
        pair.other.receive(100 + i, 0, 16);
      }
      fabric.run(0, () -> {
        for (int i = 0; i < 60; i++) {
          SendRequest request = pair.one.request(i, 1024, i % 3 == 0 ? 50_000 : 16);
          switch (i % 3) {
            case 0 -> request.read(pair.other.region.address() + 8192, pair.other.key());
            case 1 -> request.write(pair.other.region.address() + 100_000, pair.other.key());
            default -> request.send();
          }
          assertThat(pair.one.queuePair.postSend(request)).isEqualTo(Status.OK);
        }
      });
      for (int i = 0; i < 60; i++) {
        pair.one.ok(i);
      }
      for (int i = 0; i < 20; i++) {
        pair.other.ok(100 + i);
      }
    }
  }

  @Test
  default void unsignalledRequestsShowNothingAndTheirPlacesComeBack() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 31; i++) {
          pair.one.post(pair.one.request(i, 0, 8).signalled(false).write(pair.other.address(0), pair.other.key()));
        }
        pair.one.post(pair.one.request(round, 0, 8).write(pair.other.address(0), pair.other.key()));
        pair.one.ok(round);
      }
      assertThat(pair.one.silent()).isTrue();
    }
  }

  @Test
  default void fullQueuesSaySo() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      fabric.run(0, () -> {
        int posted = 0;
        Status status = Status.OK;
        while (status.isOk() && posted < 100_000) {
          status = pair.one.queuePair.postSend(
              pair.one.request(posted, 0, 8).read(pair.other.region.address(), pair.other.key()));
          posted += status.isOk() ? 1 : 0;
        }
        assertThat(status).isEqualTo(Status.NO_RESOURCES);
        assertThat(posted).isGreaterThanOrEqualTo(64);
      });
      int receives = 0;
      while (fabric.on(1, () -> pair.other.queuePair.postReceive(new ReceiveRequest().id(1))).isOk()) {
        receives++;
        assertThat(receives).isLessThan(100_000);
      }
      assertThat(receives).isGreaterThanOrEqualTo(64);
    }
  }

  @Test
  default void fencedRequestsWaitForReads() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      byte[] there = pair.other.fill(0, 100_000, 7);
      pair.other.receive(1, 150_000, 100_000);
      fabric.run(0, () -> {
        pair.one.queuePair
            .postSend(pair.one.request(1, 0, 100_000).read(pair.other.region.address(), pair.other.key()));
        // Sends what the read has brought: only right behind a fence.
        pair.one.queuePair.postSend(pair.one.request(2, 0, 100_000).fenced(true));
      });
      pair.one.ok(1);
      pair.one.ok(2);
      pair.other.ok(1);
      assertThat(pair.other.bytes(150_000, 100_000)).isEqualTo(there);
    }
  }

  @Test
  default void everythingIsFlushedInOrder() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      for (int i = 0; i < 10; i++) {
        pair.one.receive(200 + i, 0, 16);
      }
      fabric.run(0, () -> {
        for (int i = 0; i < 20; i++) {
          pair.one.queuePair.postSend(
              pair.one.request(i, 0, 8).signalled(i % 2 == 0).read(pair.other.region.address(), pair.other.key()));
        }
        pair.one.queuePair.modify(QueuePairAttributes.to(QueuePairState.ERROR));
        assertThat(pair.one.queuePair.postSend(pair.one.request(20, 0, 8))).isEqualTo(Status.OK);
        assertThat(pair.one.queuePair.postReceive(new ReceiveRequest().id(210))).isEqualTo(Status.OK);
      });
      List<Long> sends = new ArrayList<>();
      List<Long> receives = new ArrayList<>();
      while (sends.isEmpty() || sends.getLast() != 20 || receives.isEmpty() || receives.getLast() != 210) {
        End.Completion completion = pair.one.next();
        (completion.id() >= 200 ? receives : sends).add(completion.id());
        if (!completion.ok()) {
          assertThat(completion.status()).isEqualTo(WorkStatus.FLUSH_ERROR);
        } else {
          assertThat(completion.id()).as("a success").isLessThan(20);
        }
      }
      assertThat(sends).isSorted().doesNotHaveDuplicates();
      assertThat(receives).containsExactly(200L, 201L, 202L, 203L, 204L, 205L, 206L, 207L, 208L, 209L, 210L);
      pair.other.awaitError();
    }
  }

  @Test
  default void messagesWaitForAReceiveOrEndTheConnection() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      byte[] sent = pair.one.fill(0, 500, 3);
      pair.one.post(pair.one.request(1, 0, 500));
      if (pair.one.can(Capability.RECEIVER_NOT_READY)) {
        assertThat(pair.one.silent()).isTrue();
        pair.other.receive(2, 4096, 500);
        pair.other.ok(2);
        pair.one.ok(1);
        assertThat(pair.other.bytes(4096, 500)).isEqualTo(sent);
      } else {
        pair.one.awaitError();
        pair.other.awaitError();
        fabric.await(0, "the end", () -> pair.one.disconnection != null);
      }
    }
  }

  @Test
  default void eventComesOncePerRequest() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      End other = pair.other;
      int[] events = new int[1];
      CompletionQueue queue = fabric.on(1, () -> other.context.createCompletionQueue(100, () -> events[0]++));
      End near = new End(fabric, 0);
      QueuePairConfig config = new QueuePairConfig(io.remora.verbs.QueuePairType.RC, other.completions, queue, null, 16,
          16, 4, 0);
      QueuePair receiver = Pair.connectTo(near, other, config);
      fabric.run(1, () -> {
        for (int i = 0; i < 8; i++) {
          receiver.postReceive(new ReceiveRequest().id(i).piece(other.region, 0, 64));
        }
      });
      WorkCompletions polled = new WorkCompletions(16);
      near.post(near.request(1, 0, 8));
      near.ok(1);
      fabric.await(1, "a message", () -> queue.poll(polled) == 1);
      assertThat(events[0]).as("events nobody asked for").isZero();

      fabric.run(1, () -> queue.requestNotify(false));
      near.post(near.request(2, 0, 8));
      near.post(near.request(3, 0, 8));
      near.ok(2);
      near.ok(3);
      fabric.await(1, "the event", () -> events[0] == 1);
      int[] seen = new int[1];
      fabric.await(1, "two messages", () -> (seen[0] += queue.poll(polled)) == 2);
      fabric.settle();
      assertThat(fabric.on(1, () -> events[0])).isEqualTo(1);

      if (other.can(Capability.SOLICITED_EVENTS)) {
        fabric.run(1, () -> queue.requestNotify(true));
        near.post(near.request(4, 0, 8));
        near.ok(4);
        fabric.await(1, "a message", () -> queue.poll(polled) == 1);
        fabric.settle();
        int early = fabric.on(1, () -> events[0]) - 1;
        assertThat(early).as("not solicited").isBetween(0, fabric.takesNotificationsBack() ? 0 : 1);
        if (early > 0) {
          fabric.run(1, () -> queue.requestNotify(true));
          near.post(near.request(5, 0, 8));
          near.ok(5);
          fabric.await(1, "a message", () -> queue.poll(polled) == 1);
          fabric.settle();
          assertThat(fabric.on(1, () -> events[0])).as("not solicited, again").isEqualTo(2);
        }
        near.post(near.request(6, 0, 8).solicited(true));
        near.ok(6);
        fabric.await(1, "the solicited event", () -> events[0] == 2 + early);
      } else {
        Refusal.of(() -> fabric.run(1, () -> queue.requestNotify(true)), fabric, "solicited");
      }
      near.close();
      fabric.run(1, () -> {
        receiver.close();
        queue.close();
      });
    }
  }

  @Test
  default void overflowOfACompletionQueueIsFatalAndSaid() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      End near = new End(fabric, 0);
      CompletionQueue tiny = fabric.on(0, () -> near.context.createCompletionQueue(1, null));
      near.more(tiny);
      Pair.connectTo(near, pair.other,
          new QueuePairConfig(io.remora.verbs.QueuePairType.RC, tiny, tiny, null, 64, 16, 4, 0), pair.other.config());
      for (int i = 0; i < 64; i++) {
        near.tryPost(near.request(i, 0, 8).write(pair.other.address(0), pair.other.key()));
      }
      if (fabric.provider().name().equals("ibverbs")) {
        // A device may round the size up so far that nothing overflows.
        fabric.settle();
      } else {
        fabric.await(0, "the event",
            () -> near.events.stream().anyMatch(e -> e.kind() == AsyncEvent.Kind.COMPLETION_QUEUE_ERROR));
        near.awaitError();
      }
      assertThat(pair.one.state()).isEqualTo(QueuePairState.READY_TO_SEND);
      near.close();
    }
  }

  @Test
  default void sharedReceivesServeSeveralQueuePairs() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      End other = pair.other;
      if (!other.can(Capability.SHARED_RECEIVE_QUEUE)) {
        Refusal.of(() -> fabric.on(1, () -> other.domain.createSharedReceiveQueue(4, 1)), fabric,
            "shared receive queue");
        return;
      }
      SharedReceiveQueue shared = fabric.on(1, () -> other.domain.createSharedReceiveQueue(8, 2));
      End first = new End(fabric, 0);
      End second = new End(fabric, 0);
      QueuePairConfig config = other.config().withSharedReceives(shared);
      QueuePair one = Pair.connectTo(first, other, config);
      QueuePair two = Pair.connectTo(second, other, config);
      assertThat(fabric.on(1, () -> one.postReceive(new ReceiveRequest()))).isEqualTo(Status.INVALID);
      fabric.run(1, () -> {
        for (int i = 0; i < 6; i++) {
          assertThat(shared.postReceive(new ReceiveRequest().id(i).piece(other.region, i * 100L, 100)))
              .isEqualTo(Status.OK);
        }
        shared.limit(3);
      });
      for (int i = 0; i < 4; i++) {
        End from = i % 2 == 0 ? first : second;
        from.fill(0, 10, i);
        from.post(from.request(i, 0, 10));
        from.ok(i);
        End.Completion completion = other.ok(i);
        assertThat(completion.queuePair()).isEqualTo((i % 2 == 0 ? one : two).number());
      }
      fabric.await(1, "the limit's event",
          () -> other.events.stream().anyMatch(e -> e.kind() == AsyncEvent.Kind.SHARED_RECEIVE_QUEUE_LIMIT));
      Refusal.with(Status.BUSY, "queue pair", () -> fabric.run(1, shared::close));
      first.close();
      second.close();
      fabric.run(1, () -> {
        one.close();
        two.close();
        shared.close();
      });
    }
  }

  @Test
  default void postsBeforeTheConnectionAreRefused() {
    try (Fabric fabric = open()) {
      End end = new End(fabric, 0);
      end.id = fabric.on(0, () -> end.context.connectionManager().resolve(
          new java.net.InetSocketAddress(fabric.address(0).getAddress(), 9), io.remora.verbs.QueuePairType.RC, end));
      fabric.await(0, "the way", () -> end.resolved || end.failure != null);
      if (end.failure == null) {
        end.queuePair = fabric.on(0, () -> end.id.createQueuePair(end.domain, end.config()));
        assertThat(end.state()).isEqualTo(QueuePairState.INIT);
        assertThat(end.tryPost(end.request(1, 0, 8))).isEqualTo(Status.INVALID);
        end.receive(2, 0, 8);
        fabric.run(0, () -> end.queuePair.modify(QueuePairAttributes.to(QueuePairState.ERROR)));
        assertThat(end.next().status()).isEqualTo(WorkStatus.FLUSH_ERROR);
      }
      end.close();
    }
  }

  @Test
  default void hotPathAllocatesNothing() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric, End::config, CmId.Parameters.DEFAULT)) {
      if (fabric.provider().name().equals("sim") || fabric instanceof SimulatedFabric) {
        // Its messages are objects.
        return;
      }
      pair.warm();
      Allocation.check(fabric, pair);
    }
  }
}
