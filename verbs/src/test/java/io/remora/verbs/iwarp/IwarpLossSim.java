package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.base.sim.Seeds;
import io.remora.verbs.Context;
import io.remora.verbs.tck.SimulatedFabric;
import io.remora.verbs.tool.PingClient;
import io.remora.verbs.tool.PingServer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The connection breaks at every byte of a conversation of messages, reads and writes: both ends hear of it, once, nothing wrong was delivered, and everything can be closed. */
class IwarpLossSim {
  private static final int ROUNDS = 2;

  static long[] seeds() {
    return Seeds.of(3);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void breaksAtEveryByte(long seed) {
    int whole = 0;
    for (int at = 0; whole < 3; at++) {
      whole += new Conversation(seed, at, 200, config(seed)).run() ? 1 : 0;
      assertThat(at).as("bytes of the conversation").isLessThan(3000);
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void breaksSomewhereInLongFrames(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] outcomes = new int[2];
    for (int i = 0; i < 60; i++) {
      outcomes[new Conversation(seed + i, random.nextInt(300_000), 60_000, config(random.nextInt(4))).run() ? 1 : 0]++;
    }
    assertThat(outcomes[0]).as("conversations that broke").isPositive();
    assertThat(outcomes[1]).as("conversations that did not").isPositive();
  }

  private static IwarpProvider.Config config(long way) {
    return IwarpProvider.Config.DEFAULT.withCrc(way % 4 == 1).withMaxFrameBytes(way % 4 == 2 ? 300 : 65_528)
        .withPeerToPeer(way % 4 != 3);
  }

  /** A few rounds of ping between two machines. */
  private static final class Conversation {
    private final String name;
    private final SimulatedFabric fabric;
    private final int bytes;
    private final List<Status> clientEnds = new ArrayList<>();
    private final List<Status> serverEnds = new ArrayList<>();
    private int clientRounds;
    private int serverRounds;

    Conversation(long seed, long breakAt, int bytes, IwarpProvider.Config config) {
      this.name = "seed " + seed + ", broken after " + breakAt + " bytes, " + config;
      this.fabric = new SimulatedFabric(new IwarpProvider(config), "iwarp0", seed);
      this.bytes = bytes;
      fabric.simulation().net().breakNextConnection(fabric.machine(0), fabric.machine(1), breakAt);
    }

    /** Whether it came to its end unbroken. */
    boolean run() {
      try (fabric) {
        Context near = fabric.on(0, () -> fabric.provider().open(fabric.loop(0), "iwarp0"));
        Context far = fabric.on(1, () -> fabric.provider().open(fabric.loop(1), "iwarp0"));
        PingServer server = fabric.on(1, () -> new PingServer(far, fabric.address(1), new PingServer.Listener() {
          @Override
          public void onRound(InetSocketAddress client, int length) {
            serverRounds++;
          }

          @Override
          public void onEnd(InetSocketAddress client, int rounds, Status reason, String text) {
            serverEnds.add(reason);
          }
        }));
        fabric.run(0, () -> new PingClient(near, server.localAddress(), ROUNDS, bytes, new PingClient.Listener() {
          @Override
          public void onRound(int round, long ns) {
            clientRounds++;
          }

          @Override
          public void onEnd(Status status, String text) {
            clientEnds.add(status);
          }
        }));
        fabric.await(0, "the client's end", () -> !clientEnds.isEmpty());
        fabric.simulation().runFor(30_000_000_000L);
        assertThat(clientEnds).as(name).hasSize(1).isNotEqualTo(List.of(Status.MISCOMPARE));
        assertThat(serverEnds).as(name).hasSizeLessThanOrEqualTo(1);
        boolean whole = clientEnds.getFirst().isOk();
        assertThat(clientRounds == ROUNDS).as(name).isEqualTo(whole);
        assertThat(serverRounds).as(name).isGreaterThanOrEqualTo(clientRounds);
        fabric.run(1, server::close);
        fabric.run(0, near::close);
        fabric.run(1, far::close);
        return whole;
      }
    }
  }
}
