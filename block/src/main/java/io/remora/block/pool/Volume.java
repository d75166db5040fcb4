package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.Listeners;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A volume of a {@link Pool}. Its description may be read from any thread, and it may be opened on any loop; everything else
 * belongs to the pool's loop.
 */
public final class Volume implements BlockDevice {
  private static final int REMOVED = Integer.MIN_VALUE / 2;

  private final Pool pool;
  private final Region region;
  private final int slot;
  private final VolumeMap map;
  private final Listeners listeners = new Listeners();
  /** Open channels; negative once the volume has been removed. */
  private final AtomicInteger channels = new AtomicInteger();
  private volatile VolumeRecord record;

  /** Channels on other loops that this one has let in. */
  private final List<LaneChannel> guests = new ArrayList<>();
  /** Whether requests are held back; other loops look before they serve one. */
  private volatile boolean held;
  private int running;
  private int guestsRunning;
  private @Nullable Runnable whenStill;
  private @Nullable VolumeIo firstHeld;
  private @Nullable VolumeIo lastHeld;

  Volume(Pool pool, Region region, int slot, VolumeRecord record) {
    this.pool = pool;
    this.region = region;
    this.slot = slot;
    this.record = record;
    this.map = new VolumeMap(clusters(record.sizeBytes()));
  }

  @Override
  public String name() {
    return record.name();
  }

  @Override
  public UUID uuid() {
    return record.uuid();
  }

  @Override
  public int blockSize() {
    return record.blockSize();
  }

  @Override
  public long sizeBytes() {
    return record.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return true;
  }

  /** Whether the pool takes no writes any more: {@link Pool#failure} says why. */
  @Override
  public boolean readOnly() {
    return pool.failed();
  }

  @Override
  public boolean volatileCache() {
    return true;
  }

  @Override
  public int memoryAlignment() {
    return pool.memoryAlignment();
  }

  /** Whether it takes clusters as they are written; else its space is reserved. */
  public boolean thin() {
    return record.thin();
  }

  /** When it was made, in milliseconds since 1970. */
  public long createdMs() {
    return record.createdMs();
  }

  /** Small texts that were stored with it. */
  public Map<String, String> properties() {
    return record.properties();
  }

  /** The pool that it is in. */
  public Pool pool() {
    return pool;
  }

  /** How many channels are open. */
  public int openChannels() {
    return Math.max(0, channels.get());
  }

  /**
   * Each loop reads and writes by itself; from another loop than the pool's, what changes the volume's map is handed over and back. The
   * memory of requests must be accessible from the pool's thread.
   */
  @Override
  public BlockChannel open(Loop loop) {
    if (channels.getAndUpdate(n -> n < 0 ? n : n + 1) < 0) {
      throw new RemoraException(Status.NOT_FOUND, "volume " + name() + " has been removed");
    }
    if (loop == pool.loop()) {
      return new DirectChannel(this);
    }
    LaneChannel channel = new LaneChannel(this, loop);
    tell(() -> enter(channel));
    return channel;
  }

  @Override
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    listeners.remove(listener);
  }

  @Override
  public String toString() {
    return name() + " (" + uuid() + ")";
  }

  void channelClosed() {
    channels.decrementAndGet();
  }

  /** From now on the channel serves requests on its own loop, and is asked before anybody relies on the volume being still. */
  private void enter(LaneChannel channel) {
    if (!removed()) {
      guests.add(channel);
      Lane lane = pool.lane(channel.loop());
      lane.run(() -> channel.join(lane));
    }
  }

  /** A channel was closed and has nothing in flight any more. From its loop. */
  void leave(LaneChannel channel) {
    channelClosed();
    tell(() -> guests.remove(channel));
  }

  /** Runs {@code task} on the pool's loop, in order; nothing happens when that has ended. */
  private void tell(Runnable task) {
    try {
      pool.loop().execute(task);
    } catch (RemoraException e) {
      assert e.status() == Status.ABORTED : e;
    }
  }

  /** Takes no more channels; false when some are open. */
  boolean removeIfUnused() {
    return channels.compareAndSet(0, REMOVED);
  }

  /** Undoes {@link #removeIfUnused}. */
  void keep() {
    channels.set(0);
  }

  /** Takes no more channels and no more requests. */
  void remove(Status reason) {
    channels.getAndUpdate(n -> n < 0 ? n : n + REMOVED);
    listeners.removed(this, reason);
  }

  boolean removed() {
    return channels.get() < 0;
  }

  Region region() {
    return region;
  }

  int slot() {
    return slot;
  }

  VolumeMap map() {
    return map;
  }

  VolumeRecord record() {
    return record;
  }

  void record(VolumeRecord now) {
    boolean resized = now.sizeBytes() != record.sizeBytes();
    record = now;
    if (resized) {
      listeners.resized(this);
    }
  }

  /** The clusters that a volume of {@code bytes} has. */
  long clusters(long bytes) {
    return (bytes + pool.clusterBytes() - 1) / pool.clusterBytes();
  }

  long clusters() {
    return clusters(sizeBytes());
  }

  /** What is reserved for it and not used yet, in clusters. */
  long reserved() {
    return thin() ? 0 : clusters() - map.mapped();
  }

  /** Starts a request that has begun and is no COMPARE. */
  void start(IoRequest request, VolumeIo.Sink sink) {
    pool.takeVolumeIo().begin(this, request, sink);
  }

  /** Lets {@code io} run, or holds it back. */
  void admit(VolumeIo io) {
    if (whenStill == null) {
      running++;
      io.run();
      return;
    }
    VolumeIo last = lastHeld;
    if (last == null) {
      firstHeld = io;
    } else {
      last.nextWaiter = io;
    }
    lastHeld = io;
  }

  void ended() {
    running--;
    lookWhetherStill();
  }

  private void lookWhetherStill() {
    Runnable waiting = whenStill;
    if (running == 0 && guestsRunning == 0 && waiting != null) {
      pool.loop().defer(waiting);
    }
  }

  private void guestIsStill() {
    guestsRunning--;
    lookWhetherStill();
  }

  /** Whether the pool's loop holds requests back: others hand theirs over to it. From any thread. */
  boolean held() {
    return held;
  }

  /** Holds all new requests back, and runs {@code still} when those that run have ended. */
  void hold(Runnable still) {
    whenStill = still;
    held = true;
    // A channel looks at it anew for each request: those that are not in flight when it is asked will be handed over.
    guestsRunning = 1;
    for (LaneChannel guest : guests) {
      Lane lane = pool.lane(guest.loop());
      guestsRunning++;
      if (!lane.run(() -> guest.still(() -> lane.tell(this::guestIsStill)))) {
        guestsRunning--;
      }
    }
    guestIsStill();
  }

  /** Lets requests through again, first those that were held. */
  void letGo() {
    whenStill = null;
    held = false;
    VolumeIo io = firstHeld;
    firstHeld = null;
    lastHeld = null;
    while (io != null) {
      VolumeIo next = io.nextWaiter;
      io.nextWaiter = null;
      running++;
      io.run();
      io = next;
    }
  }
}
