package io.remora.nvme.host;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.PduMutator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One episode of fuzzing the host's end of connections: commands go over one link after the other to a {@link HostileTarget} that answers
 * with mutated PDUs. Whatever it says, a command is answered once at most, no memory is touched but the command's own, none of that after
 * the answer or the end of the link, and a link that is told nonsense fails. A seed repeats it.
 */
final class LinkFuzz {
  private static final long MILLI = 1_000_000L;
  static final int SLOTS = 8;
  private static final int MAX_BYTES = 24 << 10;
  private static final int GAP = 64;
  private static final byte CANARY = (byte) 0xCA;

  final Simulation sim;
  final RandomGenerator random;
  final PduMutator mutator;
  final SimLoop targetLoop;
  final MemorySegment in;
  final MemorySegment out;
  long mutated;
  long links;
  long failures;
  long answers;
  private final SimLoop hostLoop;
  private final SimMachine hostMachine;
  private final SimMachine targetMachine;
  private final InetSocketAddress address;
  private final Slot[] slots = new Slot[SLOTS];
  private final long limit;
  private boolean done;
  @Nullable
  HostileTarget peer;

  /** A command and its memory: three pieces with canaries around them. */
  private static final class Slot {
    final HostCommand command;
    final MemorySegment memory;
    final Sgl list = new Sgl();
    int length;
    boolean busy;

    Slot(int index, Arena arena) {
      command = new HostCommand(index, MemorySegment.NULL);
      memory = arena.allocate(MAX_BYTES + 4L * GAP, 8);
      memory.fill(CANARY);
    }
  }

  private LinkFuzz(long seed, long limit, Arena arena) {
    this.limit = limit;
    sim = new Simulation(seed);
    random = sim.random();
    sim.net().fragments(random.nextInt(8) == 0);
    mutator = new PduMutator(random);
    hostMachine = sim.machine("host");
    targetMachine = sim.machine("target");
    hostLoop = hostMachine.start(1).getFirst();
    targetLoop = targetMachine.start(1).getFirst();
    address = new InetSocketAddress(targetMachine.address(), 4420);
    in = arena.allocate(128 << 10);
    out = arena.allocate(1 << 20);
    for (int i = 0; i < SLOTS; i++) {
      slots[i] = new Slot(i, arena);
    }
  }

  /** Has the target send {@code pdus} mutated PDUs; throws when anything goes wrong. */
  static LinkFuzz run(long seed, long pdus) {
    try (Arena arena = Arena.ofShared()) {
      LinkFuzz fuzz = new LinkFuzz(seed, pdus, arena);
      fuzz.run();
      return fuzz;
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }

  private void run() {
    StreamListener listener = targetLoop
        .call(() -> targetLoop.net().listen(address, accepted -> peer = new HostileTarget(this, accepted)));
    hostLoop.run(() -> new Link().open());
    sim.runUntil(() -> done, 36_000_000 * MILLI);
    sim.runFor(60_000 * MILLI);
    check(hostMachine.openSockets() == 0, "the host has sockets open");
    for (Slot slot : slots) {
      checkCanaries(slot, 0);
    }
    targetLoop.run(listener::close);
  }

  static void check(boolean holds, String what, Object... arguments) {
    if (!holds) {
      throw new AssertionError(what.formatted(arguments));
    }
  }

  /** The byte at {@code offset} of the data of a write with the identifier {@code cid}. */
  static byte pattern(int cid, long offset) {
    return (byte) ((cid * 31L + offset * 7 + (offset >>> 8)) & 0x7f);
  }

  /** All memory but the first {@code length} bytes of the three pieces is as it was. */
  private static void checkCanaries(Slot slot, int length) {
    int third = length / 3;
    long at = 0;
    for (int i = 0; i < 4; i++) {
      long end = i < 3 ? at + GAP : slot.memory.byteSize();
      if (i == 3 && end > at + 4096) {
        end = at + 4096;
      }
      for (long k = at; k < end; k++) {
        if (slot.memory.get(ValueLayout.JAVA_BYTE, k) != CANARY) {
          throw new AssertionError("memory outside of command " + slot.command + " was written at " + k);
        }
      }
      at = end + (i < 2 ? third : length - 2 * third);
    }
  }

  /** The host's use of one link. */
  private final class Link implements HostLink.Events {
    private final Timer timer = hostLoop.timer(this::end);
    private @Nullable HostLink link;
    private int left = 4 + random.nextInt(40);
    private boolean ended;

    void open() {
      links++;
      boolean headerDigest = random.nextInt(3) == 0;
      boolean dataDigest = random.nextInt(3) == 0;
      link = new HostTcp().connect(hostLoop,
          new HostTransport.Link(address, 1, SLOTS, SLOTS, random.nextBoolean() ? 8192 : 0, headerDigest, dataDigest),
          this);
      timer.arm(50 * MILLI);
    }

    @Override
    public void onReady() {
      fill();
    }

    private void fill() {
      for (Slot slot : slots) {
        if (!slot.busy && !ended && left > 0 && random.nextInt(4) != 0) {
          left--;
          send(slot);
        }
      }
    }

    private void send(Slot slot) {
      HostCommand command = slot.command;
      boolean read = random.nextBoolean();
      command.begin(read ? 2 : 1, 1);
      slot.length = random.nextInt(8) == 0 ? 0 : 512 * (1 + random.nextInt(random.nextInt(4) == 0 ? 48 : 8));
      slot.list.clear();
      int third = slot.length / 3;
      int at = GAP;
      int offset = 0;
      for (int i = 0; i < 3; i++) {
        int piece = i < 2 ? third : slot.length - 2 * third;
        for (int k = 0; k < piece && !read; k++) {
          slot.memory.set(ValueLayout.JAVA_BYTE, at + k, pattern(command.cid, offset + k));
        }
        slot.list.add(slot.memory, at, piece);
        at += piece + GAP;
        offset += piece;
      }
      if (slot.length > 0) {
        command.whole(read ? HostCommand.Direction.IN : HostCommand.Direction.OUT, slot.list);
      } else {
        command.opcode = 0;
      }
      command.inFlight = true;
      slot.busy = true;
      HostLink to = link;
      assert to != null;
      to.send(command);
    }

    @Override
    public @Nullable HostCommand command(int cid) {
      int slot = HostCommand.slotOf(cid);
      HostCommand command = slot < SLOTS ? slots[slot].command : null;
      return command != null && command.inFlight && command.cid == cid ? command : null;
    }

    @Override
    public void onResponse(HostCommand command, long result, int sqhd, int status) {
      Slot slot = slots[command.slot];
      check(!ended && slot.busy, "an answer to %s, which is not in flight", command);
      answers++;
      HostileTarget target = peer;
      if (target != null && target.clean && (status & 0x7ff) == 0 && command.direction == HostCommand.Direction.IN) {
        byte[] got = new byte[slot.length];
        slot.list.copyTo(0, MemorySegment.ofArray(got), 0, slot.length);
        for (int i = 0; i < got.length; i++) {
          check(got[i] == pattern(~command.cid, i), "byte %d of %s is not what was sent", i, command);
        }
      }
      free(slot);
      if (random.nextInt(200) == 0) {
        end();
      } else {
        timer.arm(50 * MILLI);
        fill();
        if (left == 0 && Arrays.stream(slots).noneMatch(s -> s.busy)) {
          timer.arm(random.nextInt(2) * MILLI);
        }
      }
    }

    private void free(Slot slot) {
      checkCanaries(slot, slot.length);
      slot.command.inFlight = false;
      slot.command.release();
      slot.busy = false;
      // From here on nobody may touch it.
      slot.memory.asSlice(0, slot.length + 3L * GAP).fill(CANARY);
    }

    @Override
    public void onFailed(Status reason, String text) {
      check(!ended, "a link failed twice");
      failures++;
      end();
    }

    private void end() {
      if (ended) {
        return;
      }
      ended = true;
      timer.cancel();
      HostLink old = link;
      if (old != null) {
        old.close(random.nextBoolean());
      }
      for (Slot slot : slots) {
        if (slot.busy) {
          free(slot);
        }
      }
      if (mutated >= limit) {
        done = true;
      } else {
        hostLoop.execute(() -> new Link().open());
      }
    }
  }
}
