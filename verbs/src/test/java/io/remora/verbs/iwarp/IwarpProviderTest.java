package io.remora.verbs.iwarp;

import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.RealFabric;
import io.remora.verbs.tck.TransferTck;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** iWARP on two loops, over the loopback, in each way that it can be spoken. */
@ParameterizedClass
@MethodSource("ways")
class IwarpProviderTest implements TransferTck, ProtectionTck, QueueTck, ConnectionTck, DatagramTck {
  /** A configuration with a name. */
  record Way(String name, IwarpProvider.Config config) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Way> ways() {
    IwarpProvider.Config usual = IwarpProvider.Config.DEFAULT;
    return Stream.of(new Way("as usual", usual), new Way("with checksums", usual.withCrc(true)),
        new Way("as siw connects",
            usual.withPeerToPeer(false).withExtensions(false).withForeignPauseNs(0).withMaxFrameBytes(1440)));
  }

  private final Way way;

  IwarpProviderTest(Way way) {
    this.way = way;
  }

  @Override
  public Fabric open() {
    return RealFabric.local(new IwarpProvider(way.config()), "iwarp0");
  }

  @Override
  public int manyConnections() {
    return way.name().equals("as usual") ? 1000 : 20;
  }
}
