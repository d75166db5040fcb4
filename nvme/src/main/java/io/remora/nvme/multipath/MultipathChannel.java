package io.remora.nvme.multipath;

import io.remora.base.BufferPool;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.block.CheckedChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sends each request on one of the paths, on another one when that fails, and holds it while there is none. Belongs to its loop; a
 * request that finds a path allocates nothing.
 *
 * <p>A path gives a request back with DISCONNECTED only when it cannot be carried out there any more ({@link
 * io.remora.nvme.host.HostOptions.OnLoss#RETURN}), so that it may be sent again whatever it is; the same holds for one that was aborted.
 */
final class MultipathChannel extends CheckedChannel {
  /** How long a path that has failed under a request is left alone when it says nothing new. */
  private static final long SUSPECT_NS = 100_000_000;
  private static final int MAX_TIMEOUTS = 2;

  /** For the device, which calls it on this loop. */
  final Runnable refreshTask = this::refresh;

  private final MultipathDevice device;
  private final int maxHeld;
  private final long retryNs;
  private final Timer suspectTimer;
  private final PathSelector selector;
  private final HeldRequests held = new HeldRequests();
  private List<PathSlot> slots = List.of();
  private @Nullable PathRequest free;

  MultipathChannel(MultipathDevice device, Loop loop) {
    super(device, loop);
    MultipathOptions options = device.options();
    this.device = device;
    this.maxHeld = options.maxHeld();
    this.retryNs = Math.max(options.host().times().holdNs(), options.host().times().ioNs());
    this.suspectTimer = loop.timer(this::trustAgain);
    this.selector = new PathSelector(options.policy());
  }

  /** The paths, or what they say of themselves, have changed. */
  void refresh() {
    if (closed()) {
      return;
    }
    List<PathSlot> next = new ArrayList<>();
    List<PathSlot> gone = new ArrayList<>(slots);
    for (Path path : device.usedPaths()) {
      PathSlot slot = slots.stream().filter(each -> each.path == path).findFirst().orElseGet(() -> new PathSlot(path));
      gone.remove(slot);
      slot.refresh(loop());
      next.add(slot);
    }
    gone.forEach(PathSlot::close);
    slots = next;
    selector.refresh(slots);
    resume();
  }

  @Override
  protected void execute(IoRequest request) {
    PathSlot slot = selector.choose();
    if (slot == null && (device.refusal() != null || held.size() >= maxHeld)) {
      Status refusal = device.refusal();
      finish(request, refusal != null ? refusal : Status.NO_RESOURCES);
      return;
    }
    PathRequest mine = free;
    if (mine == null) {
      mine = new PathRequest(this);
    } else {
      free = mine.next;
      mine.next = null;
    }
    mine.begin(request);
    if (slot == null) {
      held.add(mine);
    } else {
      send(mine, slot);
    }
  }

  @Override
  public void use(BufferPool pool) {
    device.transport().use(loop(), pool);
  }

  @Override
  public void forget(BufferPool pool) {
    device.transport().forget(loop(), pool);
  }

  private void send(PathRequest mine, PathSlot slot) {
    mine.slot = slot;
    mine.tries++;
    slot.submit(mine.prepare());
  }

  /** A path is done with a request. */
  void completed(PathRequest mine) {
    PathSlot slot = mine.slot;
    assert slot != null;
    slot.inFlight--;
    Status status = mine.there.status;
    if (status.isOk() || !triesAgain(mine, slot, status)) {
      end(mine, status);
    }
  }

  private boolean triesAgain(PathRequest mine, PathSlot slot, Status status) {
    boolean failed = switch (status) {
      // NOT_FOUND: gone at this controller; the others may not have heard of it, or may have something else to say.
      case DISCONNECTED, NOT_FOUND -> true;
      // The controller has ended it at our request: nothing is left of it there.
      case TIMED_OUT -> mine.timeouts++ < MAX_TIMEOUTS;
      default -> false;
    };
    if (!failed || closed()) {
      return false;
    }
    suspect(slot);
    long now = loop().clock().nanoTime();
    if (mine.tries == 1) {
      mine.failedNs = now;
    }
    PathSlot other = selector.choose();
    Status refusal = other == null ? device.refusal() : null;
    if (refusal != null) {
      end(mine, refusal);
    } else if (now - mine.failedNs > retryNs) {
      end(mine, status);
    } else if (other == null) {
      mine.slot = null;
      held.add(mine);
    } else {
      send(mine, other);
    }
    return true;
  }

  private void end(PathRequest mine, Status status) {
    IoRequest request = mine.release();
    mine.next = free;
    free = mine;
    request.complete(status);
  }

  private void suspect(PathSlot slot) {
    if (!slot.suspected()) {
      slot.suspect(true);
      selector.refresh(slots);
    }
    if (!suspectTimer.armed()) {
      suspectTimer.arm(SUSPECT_NS);
    }
  }

  private void trustAgain() {
    slots.forEach(slot -> slot.suspect(false));
    selector.refresh(slots);
    resume();
  }

  /** Sends what is held, as far as there is a path, or ends it when it is held no longer. */
  private void resume() {
    Status refusal = device.refusal();
    for (int left = held.size(); left > 0 && (selector.any() || refusal != null); left--) {
      PathRequest mine = held.poll();
      PathSlot slot = selector.choose();
      assert mine != null;
      if (slot != null) {
        send(mine, slot);
      } else if (refusal != null) {
        end(mine, refusal);
      }
    }
  }

  @Override
  protected void onClose() {
    suspectTimer.cancel();
    for (PathRequest mine = held.poll(); mine != null; mine = held.poll()) {
      finish(mine.release(), Status.ABORTED);
    }
    slots.forEach(PathSlot::close);
    device.forget(this);
  }
}
