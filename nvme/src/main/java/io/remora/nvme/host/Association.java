package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * One association with a controller: its admin queue, and what the controller said of itself. It brings the controller up as
 * the specification asks (NVMe-oF 1.1, 4; NVMe Base 2.0, 3.5). Lives on the controller's first loop; used once.
 */
final class Association {
  private static final int CC_ENABLED = 1 | (6 << 16) | (4 << 20);
  private static final int CC_SHUTDOWN = 1 << 14;
  private static final int CC_ALL_COMMAND_SETS = 6 << 4;
  private static final int CSTS_READY = 1;
  private static final int CSTS_FATAL = 1 << 1;
  private static final int CSTS_SHUTDOWN_MASK = 3 << 2;
  private static final int CSTS_SHUTDOWN_DONE = 2 << 2;
  private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(10);
  /** How long a controller may take to stop. */
  private static final long STOP_NS = TimeUnit.SECONDS.toNanos(3);
  private static final int AUTHENTICATION_MASK = 3 << 17;

  private final int number;
  private final Loop loop;
  private final HostOptions options;
  private final HostIdentity identity;
  private final AdminQueue admin;
  private int cntlid;
  private long cap;
  private int version;
  private ControllerInfo info;

  /**
   * An association that has not begun.
   *
   * @param number counts the associations of one {@link HostController}, from 1
   */
  @SuppressWarnings("NullAway.Init")
  Association(int number, Loop loop, HostOptions options, HostIdentity identity, AdminQueue.Owner owner) {
    this.number = number;
    this.loop = loop;
    this.options = options;
    this.identity = identity;
    this.admin = new AdminQueue(loop, options, owner);
  }

  int number() {
    return number;
  }

  int cntlid() {
    return cntlid;
  }

  AdminQueue admin() {
    return admin;
  }

  /** What the controller said; after {@link #bringUp}. */
  ControllerInfo info() {
    return info;
  }

  /** How much data one command may have. */
  long maxTransferBytes() {
    return Math.min(info.maxTransferBytes(), 1 << 20);
  }

  /** Native memory for one control operation; it goes when nobody refers to it any more. */
  MemorySegment allocate(long bytes) {
    return Arena.ofAuto().allocate(bytes, 8);
  }

  /** Connects and enables the controller, up to knowing it. */
  CompletableFuture<Void> bringUp(HostTransport transport) {
    return admin.open(transport).thenCompose(v -> connect()).thenCompose(v -> property(AdminCommand.PROPERTY_CAP))
        .thenCompose(value -> {
          cap = value;
          return property(AdminCommand.PROPERTY_VS);
        }).thenCompose(value -> {
          version = value.intValue();
          return enable();
        }).thenCompose(v -> identify(transport.type() == DiscoveryEntry.Transport.RDMA));
  }

  /**
   * Stops the controller, if it still can be reached. True: it carries out no command of this association any more. There is
   * an answer within a few seconds.
   */
  CompletableFuture<Boolean> stop() {
    if (!admin.alive()) {
      return CompletableFuture.completedFuture(false);
    }
    CompletableFuture<Boolean> answer = admin
        .submit(AdminCommand.propertySet(AdminCommand.PROPERTY_CC, CC_ENABLED & ~1))
        .thenCompose(v -> poll(CSTS_READY, 0, STOP_NS)).handle((v, e) -> e == null);
    return answer.applyToEither(delay(loop, STOP_NS).thenApply(v -> false), stopped -> stopped);
  }

  /** Shuts the controller down in order, if it still can be reached. Done within a few seconds, never exceptionally. */
  CompletableFuture<Void> shutDown() {
    if (!admin.alive()) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> answer = admin
        .submit(AdminCommand.propertySet(AdminCommand.PROPERTY_CC, CC_ENABLED | CC_SHUTDOWN))
        .thenCompose(v -> poll(CSTS_SHUTDOWN_MASK, CSTS_SHUTDOWN_DONE, STOP_NS)).handle((v, e) -> null);
    return answer.applyToEither(delay(loop, STOP_NS), v -> null);
  }

  /** The data of Connect for any queue of this association. */
  MemorySegment connectData(int id) {
    MemorySegment data = allocate(AdminCommand.CONNECT_BYTES);
    AdminCommand.connectData(data, identity.id(), id, options.subsystemNqn(), identity.nqn());
    return data;
  }

  /** Asks for {@code count} I/O queues; gives how many there are. */
  CompletableFuture<Integer> queues(int count) {
    int value = (count - 1) | ((count - 1) << 16);
    return admin.submit(AdminCommand.setFeature(AdminCommand.FEATURE_QUEUES, value)).thenApply(done -> {
      int granted = (int) Math.min(done.result() & 0xffff, (done.result() >>> 16) & 0xffff) + 1;
      return Math.min(granted, count);
    });
  }

  private CompletableFuture<Void> connect() {
    int keepAliveMs = (int) Math.min(TimeUnit.NANOSECONDS.toMillis(options.times().keepAliveNs()), Integer.MAX_VALUE);
    AdminCommand command = AdminCommand.connect(0, AdminQueue.ENTRIES, keepAliveMs,
        connectData(AdminCommand.CNTLID_DYNAMIC));
    return admin.submit(command).thenAccept(done -> {
      cntlid = (int) done.result() & 0xffff;
      if ((done.result() & AUTHENTICATION_MASK) != 0) {
        throw new RemoraException(Status.DENIED,
            options.subsystemNqn() + " asks for authentication, which this host cannot do yet");
      }
    });
  }

  private CompletableFuture<Long> property(int offset) {
    return admin.submit(AdminCommand.propertyGet(offset)).thenApply(AdminQueue.Completion::result);
  }

  private CompletableFuture<Void> enable() {
    boolean nvm = ((cap >>> 37) & 1) != 0;
    boolean all = ((cap >>> 43) & 1) != 0;
    if (!nvm && !all) {
      throw new RemoraException(Status.UNSUPPORTED, options.subsystemNqn() + " has no NVM command set (CAP "
          + Long.toHexString(cap) + ")");
    }
    int cc = CC_ENABLED | (nvm ? 0 : CC_ALL_COMMAND_SETS);
    long readyNs = Math.max(1, (cap >>> 24) & 0xff) * TimeUnit.MILLISECONDS.toNanos(500);
    return admin.submit(AdminCommand.propertySet(AdminCommand.PROPERTY_CC, cc))
        .thenCompose(v -> poll(CSTS_READY, CSTS_READY, readyNs));
  }

  /** Reads CSTS until the bits of {@code mask} are {@code wanted}. */
  private CompletableFuture<Void> poll(int mask, int wanted, long timeoutNs) {
    long begin = loop.clock().nanoTime();
    return poll(mask, wanted, begin, timeoutNs);
  }

  private CompletableFuture<Void> poll(int mask, int wanted, long begin, long timeoutNs) {
    return property(AdminCommand.PROPERTY_CSTS).thenCompose(csts -> {
      if ((csts & mask) == wanted) {
        return CompletableFuture.completedFuture(null);
      }
      if ((csts & CSTS_FATAL) != 0) {
        throw new RemoraException(Status.DISCONNECTED, "the controller reports a fatal state (CSTS "
            + Long.toHexString(csts) + ")");
      }
      if (loop.clock().nanoTime() - begin > timeoutNs) {
        throw new RemoraException(Status.TIMED_OUT, "the controller is at CSTS " + Long.toHexString(csts)
            + " after " + TimeUnit.NANOSECONDS.toMillis(timeoutNs) + " ms");
      }
      return delay(loop, POLL_NS).thenCompose(v -> poll(mask, wanted, begin, timeoutNs));
    });
  }

  private CompletableFuture<Void> identify(boolean keyedSgls) {
    MemorySegment data = allocate(ControllerInfo.BYTES);
    return admin.submit(AdminCommand.identify(AdminCommand.CNS_CONTROLLER, 0, 0, data)).thenAccept(done -> {
      info = ControllerInfo.parse(data, cap, version, cntlid, options.subsystemNqn(), keyedSgls);
      if (options.times().keepAliveNs() > 0 && info.keepAliveUnitMs() == 0 && !info.discovery()) {
        throw new RemoraException(Status.UNSUPPORTED, options.subsystemNqn()
            + " has no keep-alive, which fabrics controllers must have (kato=0 does without)");
      }
    });
  }

  /** Done after {@code delayNs}, on {@code loop}. */
  static CompletableFuture<Void> delay(Loop loop, long delayNs) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Timer timer = loop.timer(() -> done.complete(null));
    timer.arm(delayNs);
    return done;
  }
}
