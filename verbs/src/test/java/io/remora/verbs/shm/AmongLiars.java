package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loops;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendRequest;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Tests with a victim, who listens, an honest peer of his, whose connection must not notice anything, and liars; all is given back in the end. */
abstract class AmongLiars {
  private String held = "";
  @SuppressWarnings("NullAway.Init")
  Loops loops;
  @SuppressWarnings("NullAway.Init")
  ThisEnd victim;
  @SuppressWarnings("NullAway.Init")
  ThisEnd honest;
  @SuppressWarnings("NullAway.Init")
  CmListener listener;
  @SuppressWarnings("NullAway.Init")
  private QueuePair honestPeer;
  @SuppressWarnings("NullAway.Init")
  private CmId honestId;
  private int rounds;

  @BeforeEach
  void open() {
    loops = Loops.start(Loops.Config.of("lies", 2));
    held = ThisEnd.held();
    victim = new ThisEnd(loops.get(0));
    honest = new ThisEnd(loops.get(1));
    listener = victim.listen();
    honest.connect(listener.localAddress().getPort(), QueuePairType.RC);
    victim.await("the honest one", () -> victim.established != null);
    honestPeer = Objects.requireNonNull(victim.queuePair);
    honestId = Objects.requireNonNull(victim.id);
  }

  @AfterEach
  void close() {
    honest.close();
    victim.run(() -> {
      listener.close();
      honestPeer.close();
      honestId.close();
    });
    victim.close();
    assertThat(ThisEnd.held()).as("what this process holds").isEqualTo(held);
    loops.close();
  }

  Liar liar() {
    victim.run(() -> {
      victim.established = null;
      victim.ended = null;
    });
    Liar liar = honest.on(() -> new Liar(loops.get(1), listener.localAddress().getPort(), Control.BYTES));
    victim.await("the liar", () -> victim.established != null);
    return liar;
  }

  /** The honest connection works, in both directions, by messages and writes. */
  void assertHonestConnectionWorks() {
    long number = ++rounds;
    honest.run(() -> honest.memory.set(JAVA_LONG, 0, number));
    honest.post(new SendRequest().id(1).piece(honest.region, 0, 8)
        .write(victim.region.address() + 500_000, victim.region.remoteKey()));
    honest.post(new SendRequest().id(2).piece(honest.region, 0, 8)
        .read(victim.region.address() + 500_000, victim.region.remoteKey()));
    honest.ok(1);
    honest.ok(2);
    assertThat(victim.on(() -> victim.memory.get(JAVA_LONG, 500_000))).isEqualTo(number);
    assertThat(victim.on(honestPeer::state)).isEqualTo(QueuePairState.READY_TO_SEND);
  }

  /** Lets a liar lie, after which its connection has ended, for a reason that is said, and nothing else has. */
  void lie(String what, Consumer<Liar> lie) {
    Liar liar = liar();
    QueuePair lied = victim.queuePair();
    honest.run(() -> lie.accept(liar));
    victim.await("the end after " + what, () -> lied.state() == QueuePairState.ERROR);
    victim.await("the event after " + what, () -> !victim.events.isEmpty());
    assertThat(victim.on(() -> victim.events.getFirst().kind())).as(what).isEqualTo(AsyncEvent.Kind.QUEUE_PAIR_FATAL);
    assertThat(victim.on(() -> victim.events.getFirst().text())).as(what).contains("breaks the protocol");
    honest.await("the end at the liar", () -> liar.ended);
    honest.run(liar::close);
    victim.hangUp();
    assertHonestConnectionWorks();
  }
}
