package io.remora.nvme.tcp;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.nvme.Nqn;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a fuzzing host: it speaks the protocol, with mutated PDUs among the good ones, and holds all answers against
 * {@link FuzzModel}. When it has said enough, all its commands have to be answered, or the target has to end it.
 * Belongs to the host's loop.
 */
final class FuzzConnection implements StreamSocket.Handler, FuzzAnswers.Listener {
  private static final long MILLI = 1_000_000L;
  /** In which a target has to have answered everything. */
  private static final long PATIENCE_NS = 8_000 * MILLI;
  private static final int CHUNK = 64 << 10;

  private final TargetFuzz world;
  private final RandomGenerator random;
  private final FuzzModel model;
  private final FuzzAnswers answers;
  private final FuzzCommands commands;
  private final Timer timer;
  private final StreamSocket socket;
  private final ArrayDeque<byte[]> unsent = new ArrayDeque<>();
  private final List<FuzzModel.Open> asked = new ArrayList<>();
  private final boolean discovery;
  /** Of the admin queue: itself. Of an I/O queue: the connection of its controller's admin queue. */
  final FuzzConnection admin;
  private final int queueId;
  private final int entries;
  private int budget;
  private boolean initialized;
  private boolean connecting;
  boolean ready;
  boolean over;
  private boolean peerEnded;
  private boolean finishing;
  private long waitedNs;
  private boolean mute;
  int controllerId;
  private byte[] lastMutated = {};

  /** Begins to connect; as an I/O queue when there is an {@code of}. */
  FuzzConnection(TargetFuzz world, @Nullable FuzzConnection of) {
    this.world = world;
    this.random = world.random;
    this.model = new FuzzModel(world.device, 1 << 20);
    this.answers = new FuzzAnswers(model, this);
    this.commands = new FuzzCommands(random);
    this.admin = of == null ? this : of;
    this.queueId = of == null ? 0 : 1 + random.nextInt(8);
    this.discovery = of == null && random.nextInt(6) == 0;
    this.entries = of == null ? 32 : 2 + random.nextInt(31);
    this.budget = 3 + random.nextInt(40);
    answers.queueId = queueId;
    timer = world.hostLoop.timer(this::onTimer);
    socket = world.hostLoop.net().connect(world.address, this);
    timer.arm(10_000 * MILLI);
  }

  // What it says.

  @Override
  public void onConnected() {
    int digests = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0;
    byte[] request = Pdus.icReq(random.nextInt(8) == 0 ? random.nextInt(32) : 0, (digests & 1) != 0,
        (digests & 2) != 0);
    say(request, 12);
    timer.arm(random.nextInt(32) == 0 ? 1_000 * MILLI : 30 * MILLI);
  }

  @Override
  public void onInitialized() {
    initialized = true;
    connect();
  }

  private void connect() {
    connecting = true;
    byte[] sqe = commands.connect(queueId, entries, random.nextInt(8) == 0 ? 2_000 : 0);
    byte[] data = TestQueue.connectData(queueId == 0 ? 0xffff : admin.controllerId,
        discovery ? Nqn.DISCOVERY : TargetFuzz.NQN, TestWorld.HOST);
    say(capsule(sqe, data), 8);
    if (queueId == 0) {
      say(capsule(commands.property(true, 0x14, 0x00460001), new byte[0]), 16);
      if (random.nextBoolean()) {
        burst();
      }
    }
    next();
  }

  private void next() {
    if (!over) {
      timer.arm(random.nextInt(4) == 0 ? random.nextLong(4 * MILLI) : 50_000 + random.nextLong(150_000));
    }
  }

  private byte[] capsule(byte[] sqe, byte[] data) {
    return Pdus.pdu(4, 0, Pdus.capsule(sqe), data, model.headerDigest, model.dataDigest);
  }

  private void burst() {
    int count = Math.min(budget, 1 + random.nextInt(Math.min(entries - 1, 6)));
    budget -= count;
    for (int i = 0; i < count; i++) {
      byte[] sqe = queueId == 0 ? commands.admin() : commands.io();
      int bytes = FuzzCommands.payloadBytes(sqe);
      byte[] data = {};
      if (bytes > 0 && bytes <= 16384 && random.nextInt(3) != 0) {
        sqe[39] = 1;
        data = payload(bytes);
      }
      say(capsule(sqe, data), 2);
    }
  }

  private byte[] payload(int bytes) {
    byte[] data = new byte[bytes];
    Pdus.view(data).putInt(0, random.nextInt() & 0x7fff_ffff).putInt(bytes - 4, bytes);
    return data;
  }

  /** Answers the R2Ts that have come: in order, mixed, in pieces. */
  private void transfer() {
    while (!asked.isEmpty()) {
      FuzzModel.Open command = asked.remove(random.nextInt(asked.size()));
      if (random.nextInt(40) == 0) {
        continue;
      }
      long left = command.granted - command.received.length;
      long piece = random.nextInt(3) == 0 ? 4 * (1 + random.nextLong(Math.max(1, left / 4))) : left;
      piece = Math.min(piece, Math.min(left, CHUNK));
      if (piece <= 0) {
        continue;
      }
      int before = command.received.length;
      byte[] header = Pdus.transfer(command.cid, command.tag, before, (int) piece);
      byte[] pdu = Pdus.pdu(6, piece == left ? 4 : 0, header, payload((int) Math.max(4, piece)), model.headerDigest,
          model.dataDigest);
      say(pdu, 4);
      if (command.received.length > before && command.received.length < command.granted) {
        asked.add(command);
      }
    }
  }

  /** Sends {@code pdu}, mutated once in {@code oneIn}. */
  private void say(byte[] pdu, int oneIn) {
    byte[] bytes = pdu;
    if (random.nextInt(oneIn) == 0) {
      bytes = world.mutator.mutate(pdu, model.headerDigest, model.dataDigest);
      lastMutated = bytes;
      world.mutated++;
    }
    model.sent(bytes);
    world.device.unsure |= model.unsure;
    if (bytes.length > 0) {
      unsent.add(bytes);
    }
    if (random.nextInt(3) != 0) {
      flush();
    }
  }

  private void flush() {
    while (!unsent.isEmpty() && !over) {
      byte[] bytes = unsent.remove();
      int cut = random.nextInt(4) == 0 ? 1 + random.nextInt(bytes.length) : bytes.length;
      MemorySegment.copy(bytes, 0, world.out, ValueLayout.JAVA_BYTE, 0, cut);
      Sgl list = new Sgl();
      list.add(world.out, 0, cut);
      long count = socket.write(list);
      if (count < 0) {
        onEnd();
        return;
      }
      if (count < bytes.length) {
        unsent.addFirst(Arrays.copyOfRange(bytes, (int) count, bytes.length));
      }
      if (count < cut) {
        return;
      }
    }
  }

  // What it hears.

  @Override
  public void onReadable() {
    while (!over && !mute) {
      long count = socket.read(world.in, 0, world.in.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        if (socket.closeReason().isOk() && !over) {
          answers.ended();
        }
        onEnd();
        return;
      }
      answers.received(world.in.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Override
  public void onWritable() {
    flush();
  }

  @Override
  public void onAnswer(FuzzModel.Open command, int status, long result) {
    world.seen(command.opcode << 12 | (queueId == 0 ? 0 : 1 << 24) | (status & 0x7ff), lastMutated);
    if (command.opcode == 0x7f && command.sqe[4] == 1 && status == 0 && connecting) {
      controllerId = (int) result & 0xffff;
      ready = true;
      if (queueId == 0 && !discovery) {
        world.admins.add(this);
      }
    }
  }

  @Override
  public void onR2t(FuzzModel.Open command) {
    asked.add(command);
    if (random.nextInt(3) != 0) {
      transfer();
    }
  }

  @Override
  public void onTermReq(int fes) {
    world.seen(1 << 25 | fes << 16 | world.mutator.type() << 8 | (model.fatal.hashCode() & 0xff), lastMutated);
    world.terminated++;
  }

  // Its end.

  private void onTimer() {
    if (over) {
      return;
    }
    if (finishing) {
      settle();
      return;
    }
    if (mute) {
      mute = false;
      onReadable();
    }
    transfer();
    if (initialized && budget > 0 && !(model.isFatal() && random.nextInt(3) != 0)) {
      if (ready || queueId == 0 || random.nextInt(8) == 0) {
        burst();
      } else {
        budget--;
      }
      mute = random.nextInt(64) == 0;
      flush();
      next();
    } else if (random.nextInt(10) == 0) {
      leave(random.nextInt(3));
    } else {
      flush();
      finishing = true;
      timer.arm(20 * MILLI);
      waitedNs = 20 * MILLI;
    }
  }

  /** All has been said: waits until all is answered. */
  private void settle() {
    transfer();
    flush();
    if (satisfied()) {
      leave(random.nextInt(3));
      return;
    }
    if (waitedNs > PATIENCE_NS) {
      throw new AssertionError("hangs: " + this);
    }
    long wait = waitedNs * 2;
    waitedNs += wait;
    timer.arm(wait);
  }

  private boolean satisfied() {
    if (model.isFatal() || model.hostEnded) {
      return model.unsure;
    }
    return model.unsure || model.partial() || !unsent.isEmpty()
        || model.open.values().stream().flatMap(ArrayDeque::stream).allMatch(
            c -> (queueId == 0 && c.opcode == 0x0c) || c.owed() || model.ambiguous.contains(c.cid));
  }

  /** How: 0 in order, 1 abruptly, 2 the end of the stream only. */
  private void leave(int how) {
    if (how == 1) {
      socket.reset();
    } else if (how == 2 && !peerEnded) {
      socket.shutdownOutput();
    }
    end();
  }

  private void onEnd() {
    if (over) {
      return;
    }
    peerEnded = true;
    boolean broken = !socket.closeReason().isOk();
    boolean excused = model.unsure || model.hostEnded || model.disconnects || broken
        || model.mortal || admin.model.mortal || admin.model.resets || admin.over || model.mostOpen >= entries
        || (model.mostOpen > 4 && !ready) || answers.termReq;
    if (!excused) {
      throw new AssertionError("the target has ended a connection for no reason: " + this);
    }
    end();
  }

  @Override
  public void onClosed(Status reason) {
    onEnd();
  }

  private void end() {
    if (!over) {
      over = true;
      timer.cancel();
      socket.close();
      world.ended(this);
    }
  }

  @Override
  public String toString() {
    return "queue %d %s%s, fatal %s, partial %s, open %s, last mutation %s of type %d: %s".formatted(queueId,
        ready ? "connected" : initialized ? "initialized" : "new", discovery ? " discovery" : "", model.fatal,
        model.partial(),
        model.open.values().stream().flatMap(ArrayDeque::stream)
            .map(c -> "%x/%d".formatted(c.opcode, c.cid)).toList(),
        world.mutator.kind(), world.mutator.type(), java.util.HexFormat.of().formatHex(lastMutated, 0,
            Math.min(lastMutated.length, 160)));
  }

}
