package io.remora.verbs.iwarp;

import io.remora.base.sim.Seeds;
import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.SimulatedFabric;
import io.remora.verbs.tck.TransferTck;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** iWARP on simulated loops, over a network that delays, and cuts reads and writes into pieces of any size. */
@ParameterizedClass
@MethodSource("seeds")
class IwarpProviderSim implements TransferTck, ProtectionTck, QueueTck, ConnectionTck, DatagramTck {
  static LongStream seeds() {
    return Arrays.stream(Seeds.of(4));
  }

  private final long seed;

  IwarpProviderSim(long seed) {
    this.seed = seed;
  }

  @Override
  public Fabric open() {
    IwarpProvider.Config config = IwarpProvider.Config.DEFAULT.withCrc(seed % 4 == 1)
        .withMaxFrameBytes(seed % 4 == 2 ? 300 : 65_528)
        .withPeerToPeer(seed % 4 != 3);
    return new SimulatedFabric(new IwarpProvider(config), "iwarp0", seed);
  }

  @Override
  public int manyConnections() {
    return 50;
  }
}
