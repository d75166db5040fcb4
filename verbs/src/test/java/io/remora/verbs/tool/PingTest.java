package io.remora.verbs.tool;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.Provider;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.tck.RealFabric;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both ends of pings with each other, over providers that need nothing. */
class PingTest {
  /** How to get a provider, with its device. */
  record Way(String device, Supplier<Provider> provider) {
    @Override
    public String toString() {
      return device;
    }
  }

  static Stream<Way> ways() {
    return Stream.of(new Way("iwarp0", IwarpProvider::new), new Way("sim0", () -> new SimFabric().provider()));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void pingsSeveralClientsAtOnce(Way way) {
    try (RealFabric fabric = RealFabric.local(way.provider().get(), way.device())) {
      Context near = fabric.on(0, () -> fabric.provider().open(fabric.loop(0), way.device()));
      Context far = fabric.on(1, () -> fabric.provider().open(fabric.loop(1), way.device()));
      List<String> ends = new ArrayList<>();
      int[] served = new int[1];
      List<Status> statuses = new ArrayList<>();
      int[] rounds = new int[1];
      PingServer server = fabric.on(1, () -> new PingServer(far, fabric.address(1), new PingServer.Listener() {
        @Override
        public void onRound(InetSocketAddress client, int bytes) {
          served[0]++;
        }

        @Override
        public void onEnd(InetSocketAddress client, int count, Status reason, String text) {
          ends.add(count + " " + reason);
        }
      }));
      for (int bytes : new int[] {16, 100, 65_536}) {
        fabric.run(0, () -> new PingClient(near, server.localAddress(), 25, bytes, new PingClient.Listener() {
          @Override
          public void onRound(int round, long ns) {
            rounds[0]++;
            assertThat(ns).isPositive();
          }

          @Override
          public void onEnd(Status status, String text) {
            statuses.add(status);
          }
        }));
      }
      fabric.await(0, "the clients", () -> statuses.size() == 3);
      fabric.await(1, "the server", () -> ends.size() == 3);
      assertThat(statuses).containsOnly(Status.OK);
      assertThat(ends).containsOnly("25 OK");
      assertThat(rounds[0]).isEqualTo(75);
      assertThat(served[0]).isEqualTo(75);
      fabric.run(1, server::close);
      fabric.run(0, near::close);
      fabric.run(1, far::close);
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void nobodyAnswers(Way way) {
    try (RealFabric fabric = RealFabric.local(way.provider().get(), way.device())) {
      Context near = fabric.on(0, () -> fabric.provider().open(fabric.loop(0), way.device()));
      List<Status> statuses = new ArrayList<>();
      InetSocketAddress nobody = fabric.on(0, () -> {
        PingServer server = new PingServer(near, fabric.address(0), new PingServer.Listener() {
        });
        InetSocketAddress address = server.localAddress();
        server.close();
        return address;
      });
      fabric.run(0, () -> new PingClient(near, nobody, 1, 16, (status, text) -> statuses.add(status)));
      fabric.await(0, "the end", () -> !statuses.isEmpty());
      assertThat(statuses).hasSize(1).doesNotContain(Status.OK);
      fabric.run(0, near::close);
    }
  }
}
