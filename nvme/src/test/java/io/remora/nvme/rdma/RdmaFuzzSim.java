package io.remora.nvme.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.Opcode;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Hosts that send mutated commands and messages of any length to the target, with honest ones beside them. Whatever they send, the target throws nothing, answers the honest ones
 * rightly, and nothing is left behind.
 */
class RdmaFuzzSim {
  private static final int[] OPCODES = {Opcode.FLUSH, Opcode.WRITE, Opcode.READ, Opcode.COMPARE, Opcode.WRITE_ZEROES,
    Opcode.DATASET_MANAGEMENT,
    Opcode.VERIFY, Opcode.COPY, Opcode.FABRICS, 0x55};
  private static final int[] ADMIN = {Opcode.GET_LOG_PAGE, Opcode.IDENTIFY, Opcode.ABORT, Opcode.SET_FEATURES,
    Opcode.GET_FEATURES,
    Opcode.ASYNC_EVENT_REQUEST, Opcode.KEEP_ALIVE, Opcode.FABRICS, 0xc1};
  private static final int[] SGLS = {0x01, 0x40, 0x4f, 0x5a, 0x00};
  /** The honest host's blocks, which the others' commands are kept away from. */
  private static final int HONEST = 4096;

  static LongStream seeds() {
    return LongStream.range(0, Long.getLong("remora.seeds", 30)).map(i -> i + Long.getLong("remora.seed", 1));
  }

  private static final class Enemy {
    private final RdmaWorld world;
    private final RandomGenerator random;
    private RawQueue admin;
    private RawQueue io;
    private int ends;

    Enemy(RdmaWorld world) {
      this.world = world;
      this.random = world.sim.random();
      this.admin = world.admin();
      this.io = world.io(admin, 1);
    }

    void step() {
      if (admin.ended || io.ended) {
        ends++;
        // What it has made of its controller, nobody wants to know.
        io.close();
        admin.close();
        world.settle();
        admin = world.admin();
        io = world.io(admin, 1);
      }
      boolean toAdmin = random.nextInt(4) == 0;
      RawQueue to = toAdmin ? admin : io;
      byte[] sqe = command(to, toAdmin);
      byte[] inside = new byte[random.nextInt(3) == 0 ? random.nextInt(random.nextInt(8) == 0 ? 5000 : 4097) : 0];
      random.nextBytes(inside);
      if (toAdmin && random.nextInt(8) != 0) {
        inside = new byte[0];
      }
      if (random.nextInt(50) == 0) {
        to.raw(java.util.Arrays.copyOf(sqe, random.nextInt(64)), new byte[0]);
      } else {
        to.start(sqe, inside);
      }
      world.sim.runFor(random.nextLong(random.nextInt(4) == 0 ? 2_000_000 : 50_000));
    }

    private byte[] command(RawQueue to, boolean toAdmin) {
      int[] opcodes = toAdmin ? ADMIN : OPCODES;
      byte[] sqe = RawQueue.sqe(opcodes[random.nextInt(opcodes.length)], random.nextInt(8) == 0 ? random.nextInt() : 1);
      if (sqe[0] == Opcode.FABRICS) {
        sqe[4] = (byte) random.nextInt(10);
      }
      int blocks = 1 + random.nextInt(64);
      RawQueue.view(sqe).putLong(40, random.nextInt(HONEST - 64)).putInt(48, blocks - 1);
      if (toAdmin) {
        RawQueue.view(sqe).putInt(40, random.nextInt(0x80)).putInt(44, 0);
      }
      byte[] described = to.keyed(sqe,
          SGLS[random.nextInt(8) == 0 ? random.nextInt(SGLS.length) : 1 + random.nextInt(2)], random.nextInt(4096),
          toAdmin ? 4096 : blocks * 512);
      if (random.nextInt(3) == 0) {
        for (int i = random.nextInt(4); i >= 0; i--) {
          described[4 + random.nextInt(60)] ^= (byte) (1 << random.nextInt(8));
        }
        // Away from the honest host's blocks.
        RawQueue.view(described).putLong(40, RawQueue.view(described).getLong(40) & 0x7ff);
        RawQueue.view(described).putInt(48, RawQueue.view(described).getInt(48) & 0xffff_003f);
      }
      return described;
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void nothingThatAHostSendsHurtsAnother(long seed) {
    int ends = 0;
    try (RdmaWorld world = new RdmaWorld(seed)) {
      world.device.lending(seed % 2 == 1);
      RawQueue honest = world.io(world.admin(), 1);
      Enemy enemy = new Enemy(world);
      for (int round = 0; round < 20; round++) {
        byte[] bytes = new byte[8192];
        world.sim.random().nextBytes(bytes);
        honest.put(0, bytes);
        assertThat(honest.call(honest.keyed(RawQueue.io(Opcode.WRITE, HONEST, 16), 0x40, 0, 8192)).status()).isZero();
        for (int i = 0; i < 15; i++) {
          enemy.step();
        }
        honest.put(0, new byte[8192]);
        assertThat(honest.call(honest.keyed(RawQueue.io(Opcode.READ, HONEST, 16), 0x40, 0, 8192)).status()).isZero();
        assertThat(honest.get(0, 8192)).isEqualTo(bytes);
      }
      ends = enemy.ends;
    }
    System.out.println("seed " + seed + ": " + ends + " connections ended");
  }
}
