package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import java.util.function.Function;

/** Two ends with connected queue pairs; {@code one} has connected, so it must be the first to send. */
final class Pair implements AutoCloseable {
  final Fabric fabric;
  final End one;
  final End other;

  Pair(Fabric fabric) {
    this(fabric, End::config, CmId.Parameters.DEFAULT);
  }

  Pair(Fabric fabric, Function<End, QueuePairConfig> config, CmId.Parameters parameters) {
    this.fabric = fabric;
    this.one = new End(fabric, 0);
    this.other = new End(fabric, 1);
    connect(one, other, config, parameters);
  }

  /** A pair of datagram queue pairs. */
  static Pair datagrams(Fabric fabric) {
    return new Pair(fabric, end -> end.config().withType(QueuePairType.UD), CmId.Parameters.DEFAULT);
  }

  /** Connects the ends, which have no queue pairs yet, by the connection manager. */
  static void connect(End one, End other, Function<End, QueuePairConfig> config, CmId.Parameters parameters) {
    Fabric fabric = one.fabric;
    QueuePairType type = config.apply(one).type();
    CmListener listener = fabric.on(1,
        () -> other.context.connectionManager().listen(fabric.address(1), type, request -> {
          other.id = request.attach(other.context, other);
          other.queuePair = other.id.createQueuePair(other.domain, config.apply(other));
          other.id.accept(parameters);
        }));
    try {
      one.id = fabric.on(0, () -> one.context.connectionManager().resolve(listener.localAddress(), type, one));
      fabric.await(0, "the way", () -> one.resolved || one.failure != null);
      fabric.run(0, () -> {
        one.queuePair = one.id.createQueuePair(one.domain, config.apply(one));
        one.id.connect(parameters);
      });
      fabric.await(0, "the connection", () -> one.established != null || one.failure != null);
      assertThat(one.failure).isNull();
      fabric.await(1, "the queue pair", () -> other.queuePair != null);
    } finally {
      fabric.run(1, listener::close);
    }
  }

  /** Connects {@code near}, of end 0, with a further queue pair of {@code hub}, which closes it. */
  static QueuePair connectTo(End near, End hub) {
    return connectTo(near, hub, hub.config());
  }

  /** The same, with what that queue pair is to be. */
  static QueuePair connectTo(End near, End hub, QueuePairConfig hubs) {
    return connectTo(near, hub, near.config(), hubs);
  }

  /** The same, with what both queue pairs are to be. */
  static QueuePair connectTo(End near, End hub, QueuePairConfig nears, QueuePairConfig hubs) {
    Fabric fabric = near.fabric;
    QueuePair[] made = new QueuePair[1];
    boolean[] ready = new boolean[1];
    CmListener listener = fabric.on(1,
        () -> hub.context.connectionManager().listen(fabric.address(1), QueuePairType.RC, request -> {
          CmId accepted = request.attach(hub.context, new Silent(() -> ready[0] = true));
          made[0] = accepted.createQueuePair(hub.domain, hubs);
          hub.more(accepted, made[0]);
          accepted.accept(CmId.Parameters.DEFAULT);
        }));
    try {
      near.id = fabric.on(0,
          () -> near.context.connectionManager().resolve(listener.localAddress(), QueuePairType.RC, near));
      fabric.await(0, "the way", () -> near.resolved || near.failure != null);
      fabric.run(0, () -> {
        near.queuePair = near.id.createQueuePair(near.domain, nears);
        near.id.connect(CmId.Parameters.DEFAULT);
      });
      fabric.await(0, "the connection", () -> near.established != null || near.failure != null);
      assertThat(near.failure).isNull();
      return fabric.on(1, () -> made[0]);
    } finally {
      fabric.run(1, listener::close);
    }
  }

  /** Does not care. */
  record Silent(Runnable established) implements CmId.Handler {
    @Override
    public void onEstablished(CmId.Established connection) {
      established.run();
    }

    @Override
    public void onFailed(io.remora.base.Status reason, String text) {}

    @Override
    public void onDisconnected(io.remora.base.Status reason, String text) {}
  }

  /** Both have sent and received, as after the first message of every protocol: from now on either may begin. */
  Pair warm() {
    other.receive(-1, 0, 64);
    one.post(one.request(-2, 0, 0));
    one.ok(-2);
    other.ok(-1);
    fabric.await(1, "the connection", () -> other.established != null);
    return this;
  }

  @Override
  public void close() {
    one.close();
    other.close();
  }
}
