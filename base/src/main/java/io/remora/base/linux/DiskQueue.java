package io.remora.base.linux;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The disk requests of one loop, whatever does them: takes them, waits for a free {@link DiskSlot}, takes each through its
 * {@link DiskSteps steps}, and completes it. Allocates nothing per request.
 *
 * <p>Bounds: {@value #SLOTS} operations are with the kernel, {@value #MAX_WAITING} wait behind them in order of submission, what is
 * more completes with {@link Status#NO_RESOURCES}.
 */
final class DiskQueue {
  static final int SLOTS = 256;
  static final int MAX_WAITING = 1 << 16;
  static final int BOUNCE_BYTES = 128 << 10;

  private static final int MAX_BOUNCES = 32;
  private static final int MAX_RETRIES = 1000;

  private final LinuxLoop loop;
  private final Arena arena;
  private final DiskSlot[] slots = new DiskSlot[SLOTS];
  private final DiskSteps steps = new DiskSteps(this);
  private final List<@Nullable LinuxFile> files = new ArrayList<>();
  private final MemorySegment[] bounces = new MemorySegment[MAX_BOUNCES];
  private final Runnable answerRefused = this::answerRefused;
  private @Nullable MemorySegment zeros;
  private int freeBounces;
  private int madeBounces;
  private @Nullable DiskSlot free;
  private @Nullable DiskSlot bounceHead;
  private @Nullable DiskSlot bounceTail;
  private @Nullable IoRequest waitingHead;
  private @Nullable IoRequest waitingTail;
  private int waiting;
  private @Nullable IoRequest refusedHead;
  private @Nullable IoRequest refusedTail;
  private int inFlight;
  private boolean closed;

  DiskQueue(LinuxLoop loop, Arena arena) {
    this.loop = loop;
    this.arena = arena;
    for (int i = SLOTS - 1; i >= 0; i--) {
      slots[i] = new DiskSlot(i, arena);
      slots[i].next = free;
      free = slots[i];
    }
  }

  /** Requests that were submitted and have not completed, refused ones not counted. */
  int inFlight() {
    return inFlight;
  }

  /** A file has been opened; returns its number. */
  int add(LinuxFile file) {
    int number = files.indexOf(null);
    if (number < 0) {
      files.add(file);
      return files.size() - 1;
    }
    files.set(number, file);
    return number;
  }

  /** The file of that number has closed. */
  void remove(int number) {
    files.set(number, null);
  }

  /** The loop ends: nothing is taken any more. */
  void refuseAll() {
    closed = true;
  }

  /** Closes what is still open when the loop ends. */
  void closeFiles() {
    for (int i = 0; i < files.size(); i++) {
      LinuxFile file = files.get(i);
      if (file != null) {
        file.close();
      }
    }
  }

  void submit(LinuxFile file, IoRequest request) {
    request.begin();
    Status status = closed ? Status.ABORTED : file.check(request);
    boolean nothingToDo = request.length == 0 && request.op != IoRequest.Op.FLUSH;
    if (!status.isOk() || nothingToDo) {
      refuse(request, status);
      return;
    }
    DiskSlot slot = free;
    if (slot != null) {
      free = slot.next;
      count(file, 1);
      begin(slot, file, request);
    } else if (waiting == MAX_WAITING) {
      refuse(request, Status.NO_RESOURCES);
    } else {
      count(file, 1);
      request.scratch = file.number();
      request.link = null;
      if (waitingTail == null) {
        waitingHead = request;
      } else {
        waitingTail.link = request;
      }
      waitingTail = request;
      waiting++;
    }
  }

  /** The kernel operation of slot {@code index} has ended with {@code result}, negative for an error number. */
  void finished(int index, int result) {
    DiskSlot slot = slots[index];
    if ((result == -Errno.EINTR || result == -Errno.EAGAIN) && slot.retries++ < MAX_RETRIES) {
      loop.poller().start(slot);
      return;
    }
    slot.retries = 0;
    Status status = steps.finished(slot, result);
    if (status == null) {
      proceed(slot);
    } else {
      end(slot, status);
    }
  }

  /** Memory for a step, aligned to a page, or null: then the slot waits for some and is proceeded with later. */
  @Nullable
  MemorySegment takeBounce(DiskSlot slot) {
    if (freeBounces > 0) {
      return bounces[--freeBounces];
    }
    if (madeBounces < MAX_BOUNCES) {
      madeBounces++;
      return arena.allocate(BOUNCE_BYTES, 4096);
    }
    slot.next = null;
    if (bounceTail == null) {
      bounceHead = slot;
    } else {
      bounceTail.next = slot;
    }
    bounceTail = slot;
    return null;
  }

  /** {@value #BOUNCE_BYTES} bytes of zeros to write from. */
  MemorySegment zeros() {
    MemorySegment made = zeros;
    if (made == null) {
      made = arena.allocate(BOUNCE_BYTES, 4096);
      zeros = made;
    }
    return made;
  }

  private void begin(DiskSlot slot, LinuxFile file, IoRequest request) {
    slot.file = file;
    slot.request = request;
    slot.doneBytes = 0;
    slot.syncing = false;
    proceed(slot);
  }

  private void proceed(DiskSlot slot) {
    if (steps.prepare(slot)) {
      loop.poller().start(slot);
    }
  }

  private void end(DiskSlot slot, Status status) {
    IoRequest request = slot.request;
    LinuxFile file = slot.file;
    assert request != null && file != null;
    slot.request = null;
    slot.file = null;
    MemorySegment bounce = slot.bounce;
    if (bounce != null) {
      slot.bounce = null;
      giveBounce(bounce);
    }
    reuse(slot);
    count(file, -1);
    request.complete(status);
  }

  private void giveBounce(MemorySegment bounce) {
    bounces[freeBounces++] = bounce;
    DiskSlot next = bounceHead;
    if (next != null) {
      bounceHead = next.next;
      if (bounceHead == null) {
        bounceTail = null;
      }
      proceed(next);
    }
  }

  /** Gives the slot to the request that has waited longest, or back. */
  private void reuse(DiskSlot slot) {
    IoRequest next = waitingHead;
    if (next == null) {
      slot.next = free;
      free = slot;
      return;
    }
    waitingHead = next.link;
    if (waitingHead == null) {
      waitingTail = null;
    }
    next.link = null;
    waiting--;
    LinuxFile file = files.get((int) next.scratch);
    assert file != null;
    begin(slot, file, next);
  }

  private void count(LinuxFile file, int change) {
    inFlight += change;
    file.count(change);
  }

  /** Completes {@code request}, which never reached the kernel, at the end of this turn. */
  private void refuse(IoRequest request, Status status) {
    request.status = status;
    request.link = null;
    if (refusedTail == null) {
      refusedHead = request;
      loop.defer(answerRefused);
    } else {
      refusedTail.link = request;
    }
    refusedTail = request;
  }

  private void answerRefused() {
    IoRequest request = refusedHead;
    refusedHead = null;
    refusedTail = null;
    while (request != null) {
      IoRequest next = request.link;
      request.link = null;
      answer(request, request.status);
      request = next;
    }
  }

  private void answer(IoRequest request, Status status) {
    try {
      request.complete(status);
    } catch (RuntimeException | Error e) {
      loop.failed(e);
    }
  }
}
