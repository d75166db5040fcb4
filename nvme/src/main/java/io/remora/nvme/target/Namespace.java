package io.remora.nvme.target;

import io.remora.base.Check;
import io.remora.block.BlockDevice;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;

/** A device under a number in a subsystem. Immutable but for its counters; from any thread. */
public final class Namespace {
  /** The highest namespace number. */
  public static final int MAX_ID = 1024;

  private final int id;
  private final BlockDevice device;
  private final UUID uuid;
  private final WriteGate gate = new WriteGate();
  private final KeptProtection.Keeper keeper;
  private final CopyOnWriteArrayList<Counters> counters = new CopyOnWriteArrayList<>();

  Namespace(int id, BlockDevice device, KeptProtection protection) {
    Check.argument(id >= 1 && id <= MAX_ID, "namespace %d: 1 to %d", id, MAX_ID);
    int size = device.blockSize();
    Check.argument(size >= 512 && size <= 4096 && Integer.bitCount(size) == 1, "blocks of %d bytes: 512 to 4096", size);
    this.id = id;
    this.device = device;
    this.uuid = device.uuid();
    this.keeper = protection.keeper();
    if (protection.on()) {
      gate.protect(true);
    }
  }

  /** Its number in the subsystem, 1 to {@link #MAX_ID}. */
  public int id() {
    return id;
  }

  /** What it offers. */
  public BlockDevice device() {
    return device;
  }

  /** The identity that hosts see, as UUID and as NGUID. */
  public UUID uuid() {
    return uuid;
  }

  /** Whether hosts may only read it, because the device or one of them says so. */
  public boolean writeProtected() {
    return device.readOnly() || gate.writeProtected();
  }

  WriteGate gate() {
    return gate;
  }

  /** Remembers whether hosts may write. */
  KeptProtection.Keeper keeper() {
    return keeper;
  }

  /** What hosts have done with it. */
  public IoCounts counts() {
    IoCounts sum = IoCounts.NONE;
    for (Counters each : counters) {
      sum = each.plus(sum);
    }
    return sum;
  }

  int blockShift() {
    return Integer.numberOfTrailingZeros(device.blockSize());
  }

  /** Counters for one more loop. */
  Counters newCounters() {
    Counters each = new Counters();
    counters.add(each);
    return each;
  }
}
