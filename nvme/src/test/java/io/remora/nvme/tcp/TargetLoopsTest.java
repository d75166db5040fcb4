package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.MemoryDevice;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The target on real loops, against a raw client on a plain Java socket. */
class TargetLoopsTest {
  private static final long SIZE = 8 << 20;
  private static final int DEPTH = 32;
  private static final int BATCHES = 200;
  /** What is not per command: the measurement itself. The smallest object is 16 bytes, so one for every hundredth command is seen. */
  private static final long NOISE_BYTES = 2000;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Loops loops = Loops.start(new Loops.Config("target", 1, Loops.Backend.EPOLL, 0, List.of()));
  private final Target target = new Target(TargetConfig.DEFAULT);
  private final TargetListener listener;

  TargetLoopsTest() {
    Subsystem subsystem = target.addSubsystem(Subsystem.Config.of(TestWorld.NQN));
    subsystem.allowAnyHost(true);
    subsystem.addNamespace(1, new MemoryDevice("memory", new UUID(3, 4), SIZE, TestWorld.BLOCK));
    listener = TcpTarget.listen(loops.all(), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), target).join();
  }

  @AfterEach
  void close() {
    listener.close();
    target.close().join();
    loops.close();
  }

  /** A host that sends a batch of commands at once and then reads all answers. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private final boolean hdgst;
    private final boolean ddgst;
    int cntlid;

    Client(InetSocketAddress address, boolean hdgst, boolean ddgst) throws IOException {
      this.socket = new Socket(address.getAddress(), address.getPort());
      socket.setTcpNoDelay(true);
      this.in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 1 << 16));
      this.out = new java.io.BufferedOutputStream(socket.getOutputStream(), 1 << 16);
      this.hdgst = hdgst;
      this.ddgst = ddgst;
      out.write(Pdus.icReq(0, hdgst, ddgst));
      out.flush();
      assertThat(pdu()[0]).isEqualTo((byte) 1);
    }

    void connect(int qid, int cntlidWanted) throws IOException {
      byte[] sqe = TestQueue.connect(qid, 127, 0, true);
      command(sqe, 0, TestQueue.connectData(cntlidWanted, TestWorld.NQN, TestWorld.HOST));
      out.flush();
      byte[] answer = pdu();
      assertThat(Pdus.view(answer).getShort(22)).isZero();
      cntlid = Pdus.view(answer).getInt(8) & 0xffff;
    }

    void enable() throws IOException {
      byte[] sqe = TestQueue.fabrics(Opcode.PROPERTY_SET);
      Pdus.view(sqe).putInt(44, 0x14).putLong(48, 0x00460001);
      command(sqe, 0, new byte[0]);
      out.flush();
      assertThat(Pdus.view(pdu()).getShort(22)).isZero();
    }

    void command(byte[] sqe, int cid, byte[] inline) throws IOException {
      byte[] copy = sqe.clone();
      Pdus.view(copy).putShort(2, (short) cid);
      if (inline.length > 0) {
        Pdus.view(copy).putInt(32, inline.length);
        copy[39] = 1;
      }
      out.write(Pdus.pdu(4, 0, Pdus.capsule(copy), inline, hdgst, ddgst));
    }

    byte[] pdu() throws IOException {
      byte[] header = new byte[8];
      in.readFully(header);
      byte[] all = java.util.Arrays.copyOf(header, Pdus.view(header).getInt(4));
      in.readFully(all, 8, all.length - 8);
      return all;
    }

    /** Writes {@code data} to each of {@link #DEPTH} places and reads it back from there. */
    void batch(byte[] data, Random random) throws IOException {
      int blocks = data.length / TestWorld.BLOCK;
      boolean inline = data.length <= 16384;
      long[] places = new long[DEPTH];
      for (int i = 0; i < DEPTH; i++) {
        places[i] = random.nextLong(SIZE / data.length) * blocks;
        command(TestQueue.io(Opcode.WRITE, 1, places[i], blocks), i, inline ? data : new byte[0]);
      }
      out.flush();
      for (int answers = 0; answers < DEPTH;) {
        byte[] pdu = pdu();
        if (pdu[0] == 5) {
          assertThat(Pdus.view(pdu).getShort(22)).isZero();
          answers++;
        } else {
          int cid = Pdus.view(pdu).getShort(8);
          int tag = Pdus.view(pdu).getShort(10);
          out.write(Pdus.pdu(6, 4, Pdus.transfer(cid, tag, 0, data.length), data, hdgst, ddgst));
          out.flush();
        }
      }
      for (int i = 0; i < DEPTH; i++) {
        command(TestQueue.io(Opcode.READ, 1, places[i], blocks), i, new byte[0]);
      }
      out.flush();
      for (int i = 0; i < DEPTH; i++) {
        byte[] pdu = pdu();
        assertThat(pdu[0]).isEqualTo((byte) 7);
        int pdo = pdu[3];
        assertThat(java.util.Arrays.equals(pdu, pdo, pdo + data.length, data, 0, data.length)).isTrue();
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"4096, false, false", "4096, true, true", "65536, false, false", "65536, true, true"})
  void steadyIoAllocatesNothing(int size, boolean hdgst, boolean ddgst) throws IOException {
    byte[] data = new byte[size];
    random.nextBytes(data);
    Loop loop = loops.get(0);
    long thread = CompletableFuture.supplyAsync(() -> Thread.currentThread().threadId(), loop).join();
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Client admin = new Client(listener.localAddress(), false, false);
        Client io = new Client(listener.localAddress(), hdgst, ddgst)) {
      admin.connect(0, 0xffff);
      admin.enable();
      io.connect(1, admin.cntlid);
      long commands = 2L * BATCHES * DEPTH;
      long best = Long.MAX_VALUE;
      // What is interpreted allocates more than what is compiled: rounds until all is compiled.
      for (int round = 0; round < 60 && best > NOISE_BYTES; round++) {
        long before = bean.getThreadAllocatedBytes(thread);
        for (int i = 0; i < BATCHES; i++) {
          io.batch(data, random);
        }
        best = Math.min(best, bean.getThreadAllocatedBytes(thread) - before);
      }
      assertThat(best).as("bytes for %d commands, seed %d", commands, seed)
          .isLessThanOrEqualTo(NOISE_BYTES);
    }
  }

  @Test
  void aListenerThatIsClosedLetsNobodyIn() throws IOException {
    try (Client admin = new Client(listener.localAddress(), false, false)) {
      admin.connect(0, 0xffff);
      listener.close();
      CompletableFuture.runAsync(() -> {}, loops.get(0)).join();
      assertThat(target.ports()).isEmpty();
      org.assertj.core.api.Assertions
          .assertThatThrownBy(() -> new Client(listener.localAddress(), false, false).close())
          .isInstanceOf(IOException.class);
      admin.enable();
    }
  }
}
