package io.remora.nvme.target;

import io.remora.base.Check;
import io.remora.base.Clock;
import io.remora.base.Loop;
import io.remora.nvme.NvmeStatus;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One host's association with a subsystem. Belongs to the loop of its admin queue; other threads come in by {@link #post}, and
 * read only what never changes.
 *
 * <p>Invariant: it is in the subsystem's list from {@link #enter} until after {@link #terminate} (or the end of the admin queue) no
 * command of it is being carried out any more, so its identifier is not given to another before.
 */
final class Controller {
  /** What waits until nothing is carried out: the properties, and the controller's end. */
  private static final int MAX_WHEN_QUIET = 2;

  private final Subsystem subsystem;
  private final QueuePair admin;
  private final Loop loop;
  private final String hostNqn;
  private final byte[] hostId;
  private final @Nullable QueuePair[] ioQueues;
  private final Properties properties;
  private final KeepAlive keepAlive;
  private final Events events;
  private final Features features;
  private final WriteProtection writeProtection;
  private final CommandSet adminCommands;
  private final ErrorLog errors = new ErrorLog();
  private final BitSet changedNamespaces = new BitSet();
  private final long bornMs;
  private final AtomicInteger ioQueueCount = new AtomicInteger();
  /** I/O queues that are open, or closed while devices still work on their commands. */
  private int workingQueues;
  private int allottedQueues;
  private final List<Runnable> whenQuiet = new ArrayList<>();
  private int id;
  private boolean gone;

  Controller(Subsystem subsystem, QueuePair admin, String hostNqn, byte[] hostId) {
    TargetConfig config = subsystem.target().config();
    this.subsystem = subsystem;
    this.admin = admin;
    this.loop = admin.context().loop();
    this.hostNqn = hostNqn;
    this.hostId = hostId;
    this.ioQueues = new QueuePair[config.ioQueues()];
    this.properties = new Properties(this, admin.transport().limits().ioEntries());
    this.keepAlive = new KeepAlive(loop, this::lookForTraffic, admin::consumed);
    this.events = new Events(admin, subsystem.isDiscovery()
        ? 1 << Events.Kind.DISCOVERY.bit
        : 1 << Events.Kind.NAMESPACE.bit | 1 << Events.Kind.ANA.bit);
    this.writeProtection = new WriteProtection(admin, subsystem);
    this.features = new Features(this);
    this.adminCommands = subsystem.isDiscovery() ? new DiscoveryCommands(admin, this) : new AdminCommands(admin, this);
    this.bornMs = loop.clock().wallMillis();
  }

  /** Takes an identifier; false when there is none left. */
  boolean enter() {
    id = subsystem.enter(this);
    return id != 0;
  }

  int id() {
    return id;
  }

  String hostNqn() {
    return hostNqn;
  }

  byte[] hostId() {
    return hostId;
  }

  Subsystem subsystem() {
    return subsystem;
  }

  boolean isDiscovery() {
    return subsystem.isDiscovery();
  }

  QueuePair adminQueue() {
    return admin;
  }

  CommandSet adminCommands() {
    return adminCommands;
  }

  Properties properties() {
    return properties;
  }

  KeepAlive keepAlive() {
    return keepAlive;
  }

  Events events() {
    return events;
  }

  Features features() {
    return features;
  }

  WriteProtection writeProtection() {
    return writeProtection;
  }

  Clock clock() {
    return loop.clock();
  }

  ErrorLog errors() {
    return errors;
  }

  long ageMs() {
    return Math.max(0, loop.clock().wallMillis() - bornMs);
  }

  /** Runs {@code task} on the controller's loop. From any thread. */
  void post(Runnable task) {
    loop.execute(task);
  }

  /** From any thread, which may see the controller, under {@code knownId}, before it has learned that itself. */
  HostConnection describe(int knownId) {
    return new HostConnection(knownId, hostNqn, admin.transport().remoteAddress(), ioQueueCount.get());
  }

  /** No Keep Alive has come in time: commands on any queue count as well (NVMe Base 2.0, 3.9.4). */
  private void lookForTraffic() {
    List<QueuePair> asked = new ArrayList<>();
    for (QueuePair queue : ioQueues) {
      if (queue != null) {
        asked.add(queue);
      }
    }
    boolean[] moved = {keepAlive.heard()};
    int[] left = {asked.size()};
    for (QueuePair queue : asked) {
      queue.context().loop().execute(() -> {
        boolean each = queue.movedSince();
        post(() -> {
          moved[0] |= each;
          left[0]--;
          if (left[0] == 0) {
            decide(moved[0]);
          }
        });
      });
    }
    if (asked.isEmpty()) {
      decide(moved[0]);
    }
  }

  private void decide(boolean alive) {
    // Meanwhile a Keep Alive may have come, or the time-out been turned off.
    if (gone || keepAlive.armed() || keepAlive.timeOutMs() == 0) {
      return;
    }
    if (alive) {
      keepAlive.touch();
    } else {
      properties.fail();
      terminate("keep alive timer expired");
    }
  }

  /** Gives I/O queue {@code qid} to {@code queue}; a status of Connect. */
  int attach(int qid, QueuePair queue) {
    if (gone) {
      return NvmeStatus.CONNECT_CONTROLLER_BUSY;
    }
    if (qid > allottedQueues || isDiscovery() || !properties.takesQueues()) {
      return NvmeStatus.CONNECT_INVALID_PARAMETERS;
    }
    if (ioQueues[qid - 1] != null) {
      return NvmeStatus.COMMAND_SEQUENCE_ERROR;
    }
    ioQueues[qid - 1] = queue;
    ioQueueCount.incrementAndGet();
    workingQueues++;
    return NvmeStatus.SUCCESS;
  }

  /** How many I/O queues the host may connect. */
  void allotQueues(int count) {
    allottedQueues = count;
  }

  int allottedQueues() {
    return allottedQueues;
  }

  /** Whether an I/O queue is connected. */
  boolean hasIoQueues() {
    return ioQueueCount.get() > 0;
  }

  /** The I/O queue {@code qid}, or null. */
  @Nullable
  QueuePair ioQueue(int qid) {
    return qid >= 1 && qid <= ioQueues.length ? ioQueues[qid - 1] : null;
  }

  /** A queue's connection has ended. The controller ends with its admin queue. */
  void queueClosed(QueuePair queue) {
    if (queue == admin) {
      terminate("the admin queue has ended");
      return;
    }
    for (int i = 0; i < ioQueues.length; i++) {
      if (ioQueues[i] == queue) {
        ioQueues[i] = null;
        ioQueueCount.decrementAndGet();
      }
    }
  }

  /** No command of an I/O queue that is closed is being carried out any more. */
  void queueQuiet(QueuePair queue) {
    if (queue != admin && --workingQueues == 0) {
      List<Runnable> tasks = List.copyOf(whenQuiet);
      whenQuiet.clear();
      tasks.forEach(Runnable::run);
    }
  }

  /** Runs {@code task} when there is no I/O queue and no command of one is being carried out; at once if that holds. */
  void whenQuiet(Runnable task) {
    if (workingQueues == 0) {
      task.run();
    } else {
      Check.that(whenQuiet.size() < MAX_WHEN_QUIET, "%d tasks wait for controller %d", whenQuiet.size(), id);
      whenQuiet.add(task);
    }
  }

  /** Shut down by the host: the I/O queues end, the admin queue stays. */
  void shutDown() {
    events.reset();
    changedNamespaces.clear();
    dropIoQueues("the host has disabled the controller");
  }

  /** Disabled by the host: shut down, and everything that was set is forgotten. */
  void reset() {
    shutDown();
    features.reset();
  }

  /** Ends the association. */
  void terminate(String why) {
    if (gone) {
      return;
    }
    gone = true;
    // Hosts look for it in the list to learn whether it can still change anything.
    whenQuiet(() -> subsystem.leave(id, this));
    keepAlive.stop();
    events.clear();
    dropIoQueues(why);
    admin.terminate(why);
  }

  void namespaceChanged(int namespaceId) {
    changedNamespaces.set(namespaceId);
    events.raise(Events.Kind.NAMESPACE);
  }

  void anaChanged() {
    events.raise(Events.Kind.ANA);
  }

  void discoveryChanged() {
    events.raise(Events.Kind.DISCOVERY);
  }

  /** The namespaces that have changed since they were forgotten. */
  BitSet changedNamespaces() {
    return changedNamespaces;
  }

  /** Writes an error down, on whichever loop the queue is. */
  void recordError(QueuePair queue, Command c, int status) {
    int queueId = queue.id();
    int cid = c.cid;
    int nsid = c.opcode == io.remora.nvme.Opcode.FABRICS ? 0 : c.nsid;
    long lba = queueId == 0 ? 0 : c.qword10();
    if (queue == admin) {
      errors.add(queueId, cid, status, lba, nsid);
    } else {
      post(() -> errors.add(queueId, cid, status, lba, nsid));
    }
  }

  private void dropIoQueues(String why) {
    for (QueuePair queue : ioQueues) {
      if (queue != null) {
        queue.context().loop().execute(() -> queue.terminate(why));
      }
    }
  }
}
