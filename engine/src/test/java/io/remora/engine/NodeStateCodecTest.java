package io.remora.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.NodeState.Phase;
import io.remora.engine.NodeState.PoolEntry;
import io.remora.engine.NodeState.Publication;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class NodeStateCodecTest {
  private static final Path PATH = Path.of("/data/node.state");
  private static final UUID VOLUME = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
  private static final NodeState STATE = new NodeState(UUID.fromString("01020304-0506-0708-090a-0b0c0d0e0f10"),
      List.of(new PoolEntry(new UUID(1, 2), "main", Phase.OPEN, List.of(Path.of("/a"), Path.of("/b"))),
          new PoolEntry(new UUID(3, 4), "gone", Phase.DESTROYING, List.of(Path.of("/c")))),
      List.of(
          new Publication(VOLUME, Names.nqn(VOLUME),
              new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 4420), List.of("nqn.2014-08.x:h"), true),
          new Publication(new UUID(5, 6), Names.nqn(new UUID(5, 6)), null, List.of(), false)));

  /** Written once by format 2: later programs must read it for ever. */
  private static final String GOLDEN = "524d52414e4f44450200000033010000cfae1e7f0102030405060708090a0b0c0d0e0f10020000000000000000000001"
      + "000000000000000201040000006d61696e02000000020000002f61020000002f62000000000000000300000000000000"
      + "040204000000676f6e6501000000020000002f630200000000112233445566778899aabbccddeeff3a0000006e716e2e"
      + "323032362d30312e696f2e72656d6f72613a30303131323233332d343435352d363637372d383839392d616162626363"
      + "6464656566660e0000003139322e302e322e313a3434323001010000000f0000006e716e2e323031342d30382e783a68"
      + "000000000000000500000000000000063a0000006e716e2e323032362d30312e696f2e72656d6f72613a303030303030"
      + "30302d303030302d303030352d303030302d303030303030303030303036000000000000000000";

  /** Written once by format 1, which knew no write protection. */
  private static final String GOLDEN_1 = "524d52414e4f44450100000031010000956391da0102030405060708090a0b0c0d0e0f10020000000000000000000001"
      + "000000000000000201040000006d61696e02000000020000002f61020000002f62000000000000000300000000000000"
      + "040204000000676f6e6501000000020000002f630200000000112233445566778899aabbccddeeff3a0000006e716e2e"
      + "323032362d30312e696f2e72656d6f72613a30303131323233332d343435352d363637372d383839392d616162626363"
      + "6464656566660e0000003139322e302e322e313a34343230010000000f0000006e716e2e323031342d30382e783a6800"
      + "0000000000000500000000000000063a0000006e716e2e323032362d30312e696f2e72656d6f72613a30303030303030"
      + "302d303030302d303030352d303030302d3030303030303030303030360000000000000000";

  @Test
  void readsWhatItWrote() {
    assertThat(NodeStateCodec.decode(NodeStateCodec.encode(STATE), PATH)).isEqualTo(STATE);
    NodeState empty = NodeState.empty(VOLUME);
    assertThat(NodeStateCodec.decode(NodeStateCodec.encode(empty), PATH)).isEqualTo(empty);
  }

  @Test
  void theFormatStays() {
    assertThat(HexFormat.of().formatHex(NodeStateCodec.encode(STATE))).isEqualTo(GOLDEN);
    assertThat(NodeStateCodec.decode(HexFormat.of().parseHex(GOLDEN), PATH)).isEqualTo(STATE);
  }

  @Test
  void theFormatBeforeIsRead() {
    NodeState before = new NodeState(STATE.node(), STATE.pools(),
        STATE.publications().stream().map(publication -> publication.withWriteProtected(false)).toList());
    assertThat(NodeStateCodec.decode(HexFormat.of().parseHex(GOLDEN_1), PATH)).isEqualTo(before);
  }

  @Test
  void aFlagThatThisProgramDoesNotKnowIsNoGuess() {
    byte[] content = NodeStateCodec.encode(STATE);
    int flags = new String(content, StandardCharsets.ISO_8859_1).indexOf("192.0.2.1:4420") + "192.0.2.1:4420".length();
    content[flags] |= 2;
    NodeStateCodec.seal(content);
    assertThatThrownBy(() -> NodeStateCodec.decode(content, PATH))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.CORRUPT))
        .hasMessageContaining("flags 3");
  }

  @Test
  void everyChangedBitIsFound() {
    byte[] content = NodeStateCodec.encode(STATE);
    for (int bit = 0; bit < content.length * 8; bit++) {
      byte[] broken = content.clone();
      broken[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> NodeStateCodec.decode(broken, PATH)).as("bit %d", bit)
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.CORRUPT))
          .hasMessageContaining("/data/node.state");
    }
  }

  @Test
  void everyLengthButTheRightOneIsFound() {
    byte[] content = NodeStateCodec.encode(STATE);
    for (int length = 0; length < content.length + 8; length++) {
      if (length != content.length) {
        byte[] cut = Arrays.copyOf(content, length);
        assertThatThrownBy(() -> NodeStateCodec.decode(cut, PATH)).as("length %d", length)
            .isInstanceOf(RemoraException.class);
      }
    }
  }

  @Test
  void anEnemysFileWithTheRightChecksumDoesNotCrashIt() {
    long seed = Long.getLong("seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    byte[] content = NodeStateCodec.encode(STATE);
    for (int round = 0; round < 2000; round++) {
      byte[] broken = content.clone();
      for (int i = random.nextInt(1, 5); i > 0; i--) {
        broken[random.nextInt(20, broken.length)] = (byte) random.nextInt();
      }
      NodeStateCodec.seal(broken);
      try {
        NodeStateCodec.decode(broken, PATH);
      } catch (RemoraException e) {
        assertThat(e.status()).as("seed %d", seed).isIn(Status.CORRUPT, Status.INVALID);
      }
    }
  }

  @Test
  void aNewerFormatIsNamedAsSuch() {
    byte[] newer = NodeStateCodec.encode(STATE);
    newer[8] = 3;
    NodeStateCodec.seal(newer);
    assertThatThrownBy(() -> NodeStateCodec.decode(newer, PATH))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED))
        .hasMessageContaining("format 3").hasMessageContaining("formats 1 to 2");
  }
}
