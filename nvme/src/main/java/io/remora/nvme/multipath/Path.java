package io.remora.nvme.multipath;

import io.remora.base.Addresses;
import io.remora.base.Backoff;
import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.nvme.AnaState;
import io.remora.nvme.host.Failure;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostListener;
import io.remora.nvme.host.HostNamespace;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostState;
import io.remora.nvme.host.HostStatus;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One way to the namespace: connects, and keeps trying, until it is taken out of use or leads to something else. Belongs to the
 * device's first loop; {@link #view} and {@link #status} may be called from any thread.
 */
final class Path implements HostListener, BlockDevice.Listener {
  private final MultipathDevice device;
  private final HostOptions options;
  private final boolean local;
  private final Backoff backoff;
  private final CompletableFuture<Void> first = new CompletableFuture<>();
  private @Nullable HostController controller;
  private @Nullable CompletableFuture<Void> leaving;
  private boolean connecting;
  private @Nullable HostNamespace watched;
  private volatile PathView view = PathView.NONE;
  private volatile PathStatus status;

  Path(MultipathDevice device, HostOptions options, boolean local) {
    this.device = device;
    this.options = options;
    this.local = local;
    this.backoff = options.times().backoff(device.loop(), this::connect);
    this.status = new PathStatus(options.address(), PathState.CONNECTING, AnaState.INACCESSIBLE, 0, "", 0);
  }

  InetSocketAddress address() {
    return options.address();
  }

  PathView view() {
    return view;
  }

  PathStatus status() {
    return status;
  }

  /** The controller while it is connected or was; null before. */
  @Nullable
  HostController controller() {
    return controller;
  }

  boolean live() {
    return status.state() == PathState.LIVE;
  }

  /** Begins; done when the first attempt has ended, exceptionally when it did not succeed. It goes on trying unless it is refused. */
  CompletableFuture<Void> start() {
    connect();
    return first;
  }

  private void connect() {
    connecting = true;
    HostController.connect(device.transport(), device.loops(), options).whenComplete((made, e) -> {
      connecting = false;
      CompletableFuture<Void> left = leaving;
      if (left != null) {
        finish(made == null ? CompletableFuture.completedFuture(null) : made.close(), left);
      } else if (e != null) {
        failed(Failure.of(e));
      } else {
        join(made);
      }
    });
  }

  private void failed(Failure failure) {
    say(PathState.CONNECTING, failure.text());
    first.completeExceptionally(failure.cause());
    backoff.next();
    device.changed();
  }

  private void join(HostController made) {
    try {
      device.admit(this, made);
    } catch (RemoraException e) {
      made.close();
      if (e.status() == Status.NOT_FOUND) {
        failed(Failure.of(e));
      } else {
        refuse(e);
      }
      return;
    }
    backoff.reset();
    controller = made;
    made.addListener(this);
    evaluate();
    first.complete(null);
  }

  private void refuse(RemoraException why) {
    say(PathState.REFUSED, String.valueOf(why.getMessage()));
    first.completeExceptionally(why);
    device.changed();
  }

  /** Takes it out of use; done when nothing that was sent on it can be carried out any more, and it is closed. */
  CompletableFuture<Void> leave() {
    CompletableFuture<Void> before = leaving;
    if (before != null) {
      return before;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    leaving = done;
    view = PathView.NONE;
    say(PathState.LEAVING, "taken out of use");
    device.changed();
    if (!connecting) {
      HostController used = controller;
      finish(used == null ? CompletableFuture.completedFuture(null) : used.retire(), done);
    }
    return done;
  }

  /** Closes at once; what is in flight completes with ABORTED. */
  CompletableFuture<Void> close() {
    CompletableFuture<Void> done = leaving == null ? new CompletableFuture<>() : leaving;
    leaving = done;
    view = PathView.NONE;
    if (!connecting) {
      HostController used = controller;
      finish(used == null ? CompletableFuture.completedFuture(null) : used.close(), done);
    }
    return done;
  }

  private void finish(CompletableFuture<Void> closing, CompletableFuture<Void> done) {
    backoff.cancel();
    first.completeExceptionally(
        new RemoraException(Status.ABORTED, "path " + Addresses.format(address()) + " was taken out of use"));
    closing.whenComplete((v, e) -> done.complete(null));
  }

  @Override
  public void onState(HostController of, HostStatus now) {
    evaluate();
  }

  @Override
  public void onNamespaces(HostController of, List<HostNamespace> namespaces) {
    evaluate();
  }

  @Override
  public void onAccess(HostController of) {
    evaluate();
  }

  /** Looks at the controller again and tells the device. */
  void evaluate() {
    HostController of = controller;
    if (of == null || leaving != null || status.state() == PathState.REFUSED) {
      return;
    }
    HostStatus now = of.status();
    if (now.state() != HostState.LIVE) {
      view = PathView.NONE;
      say(PathState.CONNECTING, now.text());
    } else if (!isNew(of)) {
      view = PathView.NONE;
      of.retire();
    } else {
      HostNamespace namespace = device.namespace().find(of);
      watch(namespace);
      view = namespace == null ? PathView.NONE : new PathView(namespace, rank(namespace.access()));
      AnaState access = namespace == null ? AnaState.INACCESSIBLE : namespace.access();
      status = new PathStatus(address(), PathState.LIVE, access, of.info().cntlid(),
          namespace == null ? "the namespace is not there any more" : access.accessible() ? "" : "ANA state " + access,
          now.losses());
    }
    device.changed();
  }

  private void watch(@Nullable HostNamespace namespace) {
    if (namespace != null && namespace != watched) {
      namespace.addListener(this);
      watched = namespace;
    }
  }

  @Override
  public void onResized(BlockDevice namespace) {
    device.changed();
  }

  @Override
  public void onRemoved(BlockDevice namespace, Status reason) {
    // The list of namespaces says so too.
  }

  /** Whether it is another controller than those of the other paths; says why when it is not. */
  private boolean isNew(HostController of) {
    try {
      device.checkController(this, of);
      return true;
    } catch (RemoraException e) {
      say(PathState.REFUSED, String.valueOf(e.getMessage()));
      return false;
    }
  }

  private int rank(AnaState access) {
    int remote = device.options().policy() == PathPolicy.LOCAL && !local ? 1 : 0;
    return switch (access) {
      case OPTIMIZED -> remote;
      case NON_OPTIMIZED -> 2 + remote;
      case INACCESSIBLE, PERSISTENT_LOSS, CHANGE -> -1;
    };
  }

  private void say(PathState state, String text) {
    Check.that(state != PathState.LIVE, "a live path says more");
    HostController of = controller;
    status = new PathStatus(address(), state, AnaState.INACCESSIBLE, 0, text, of == null ? 0 : of.status().losses());
  }
}
