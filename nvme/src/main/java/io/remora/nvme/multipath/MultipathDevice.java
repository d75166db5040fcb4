package io.remora.nvme.multipath;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.Listeners;
import io.remora.nvme.host.Failure;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostIdentity;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostTransport;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A namespace as a block device over several controllers of its subsystem. Paths may be added and removed while it is used. Its state
 * belongs to the first of its loops; public methods may be called from any thread, futures are done on that loop.
 *
 * <p>What is promised when a path fails: a request is sent again on another one, and the caller only sees that it takes longer. One
 * that changes data and was sent already waits until the lost controller cannot carry it out any more ({@link
 * HostOptions.Resend}); else it could come late, over what the caller has written since. Linux sends it again at once. While there is no
 * path requests are held, see {@link MultipathOptions}.
 *
 * <p>A FLUSH goes on one path, as Linux does it: the subsystem has to have one cache for all its controllers, or caches that know of
 * each other.
 */
public final class MultipathDevice implements BlockDevice {
  /**
   * The most paths that there may be, those that are being left among them: each costs a controller with a connection for each loop, and
   * how many a discovery service lists is up to others.
   */
  public static final int MAX_PATHS = 64;

  private final HostTransport transport;
  private final List<Loop> loops;
  private final Loop loop;
  private final MultipathOptions options;
  private final HostOptions host;
  private final Listeners listeners = new Listeners();
  private final List<MultipathChannel> channels = new CopyOnWriteArrayList<>();
  private final SharedNamespace namespace;
  private final Availability availability;
  private final Witnesses witnesses;

  /** Those that are configured, and below those that are being left. */
  private volatile List<Path> paths = List.of();
  private volatile List<Path> left = List.of();
  private volatile @Nullable Status refusal;

  private MultipathDevice(HostTransport transport, List<Loop> loops, MultipathOptions options) {
    this.transport = transport;
    this.loops = List.copyOf(loops);
    this.loop = loops.getFirst();
    this.options = options;
    HostIdentity identity = HostIdentity.of(options.host(), loop);
    this.host = options.host().withOnLoss(HostOptions.OnLoss.RETURN).withHost(identity.id(), identity.nqn());
    this.namespace = new SharedNamespace(options);
    this.availability = new Availability(loop, options.host().times(), this::refuse);
    this.witnesses = new Witnesses(this);
  }

  /**
   * Connects to {@code addresses}, at least one. The future is done when each has been tried; it fails with {@link RemoraException}
   * when none could be connected, or one leads to something else than the others, and there is nothing to close then. Those
   * that could not be connected are tried again and again. More than {@link #MAX_PATHS} are refused, with {@link
   * Status#NO_RESOURCES}.
   */
  public static CompletableFuture<MultipathDevice> open(HostTransport transport, List<Loop> loops,
      MultipathOptions options, Collection<InetSocketAddress> addresses) {
    Check.argument(!loops.isEmpty(), "no loops to connect on");
    Check.argument(!addresses.isEmpty(), "no addresses to connect to");
    if (Set.copyOf(addresses).size() > MAX_PATHS) {
      return CompletableFuture.failedFuture(new RemoraException(Status.NO_RESOURCES, Set.copyOf(addresses).size()
          + " paths to " + options.host().subsystemNqn() + " are more than the " + MAX_PATHS
          + " that one device may have: name fewer addresses"));
    }
    CompletableFuture<MultipathDevice> result = new CompletableFuture<>();
    loops.getFirst().execute(() -> new MultipathDevice(transport, loops, options).openNow(addresses, result));
    return result;
  }

  private void openNow(Collection<InetSocketAddress> addresses, CompletableFuture<MultipathDevice> result) {
    List<CompletableFuture<Void>> attempts = addresses.stream().distinct().map(this::addNow).toList();
    CompletableFuture.allOf(attempts.toArray(CompletableFuture[]::new)).whenComplete((v, e) -> {
      boolean refused = paths.stream().anyMatch(path -> path.status().state() == PathState.REFUSED);
      if (namespace.known() && !refused) {
        result.complete(this);
        return;
      }
      Throwable why = attempts.stream().filter(CompletableFuture::isCompletedExceptionally)
          .map(CompletableFuture::exceptionNow)
          .filter(each -> !refused || Failure.of(each).status() == Status.INVALID).findFirst()
          .orElseGet(this::lateRefusal);
      close().thenRun(() -> result.completeExceptionally(why));
    });
  }

  /** Why {@link #open} fails when each path was good at first, and one has turned out to lead elsewhere since. */
  private RemoraException lateRefusal() {
    return new RemoraException(Status.INVALID, paths.stream().map(Path::status)
        .filter(status -> status.state() == PathState.REFUSED)
        .map(status -> "path " + Addresses.format(status.address()) + " is refused: " + status.text())
        .collect(Collectors.joining("; ")));
  }

  /**
   * Adds a path. The future is done when it is used; it fails when the first attempt does, and then it is tried again unless it
   * was refused ({@link Status#INVALID}): it leads to something else. When there are {@link #MAX_PATHS} already, it fails with {@link
   * Status#NO_RESOURCES} and is forgotten.
   */
  public CompletableFuture<Void> addPath(InetSocketAddress address) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> addNow(address).whenComplete((v, e) -> {
      if (e == null) {
        done.complete(null);
      } else {
        done.completeExceptionally(Failure.of(e).cause());
      }
    }));
    return done;
  }

  /** As {@link #addPath}, on the first loop. */
  CompletableFuture<Void> addNow(InetSocketAddress address) {
    if (availability.over()) {
      return CompletableFuture.failedFuture(new RemoraException(Status.ABORTED, name() + " is closed"));
    }
    if (path(address) != null) {
      return CompletableFuture
          .failedFuture(
              new RemoraException(Status.EXISTS, name() + " has a path " + Addresses.format(address) + " already"));
    }
    if (full()) {
      return CompletableFuture.failedFuture(new RemoraException(Status.NO_RESOURCES, name() + " has " + MAX_PATHS
          + " paths, the most that a device may have, and takes no path " + Addresses.format(address)
          + " besides: remove one that is not needed"));
    }
    Path path = new Path(this, host.withAddress(address), options.local().test(address));
    List<Path> more = new ArrayList<>(paths);
    more.add(path);
    paths = List.copyOf(more);
    return path.start();
  }

  /**
   * Takes a path out of use; what was sent on it is sent again on the others as soon as it cannot be carried out there any more. The
   * future is done when the path is closed; at once when there is none.
   */
  public CompletableFuture<Void> removePath(InetSocketAddress address) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      Path path = path(address);
      if (path == null) {
        done.complete(null);
        return;
      }
      List<Path> fewer = new ArrayList<>(paths);
      fewer.remove(path);
      paths = List.copyOf(fewer);
      List<Path> more = new ArrayList<>(left);
      more.add(path);
      left = List.copyOf(more);
      path.leave().thenRun(() -> {
        List<Path> rest = new ArrayList<>(left);
        rest.remove(path);
        left = List.copyOf(rest);
        done.complete(null);
      });
    });
    return done;
  }

  private @Nullable Path path(InetSocketAddress address) {
    return paths.stream().filter(path -> path.address().equals(address)).findFirst().orElse(null);
  }

  /** How the paths are doing, in the order in which they were added. */
  public List<PathStatus> paths() {
    return paths.stream().map(Path::status).toList();
  }

  /** How it is used. */
  public MultipathOptions options() {
    return options;
  }

  /** Closes all paths; I/O that is still in flight completes with ABORTED. The future is done when all connections are closed. */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      end(Status.ABORTED);
      closePaths().thenRun(() -> done.complete(null));
    });
    return done;
  }

  private CompletableFuture<Void> closePaths() {
    witnesses.close();
    List<Path> all = allPaths();
    return CompletableFuture.allOf(all.stream().map(Path::close).toArray(CompletableFuture[]::new));
  }

  // For paths, on the first loop.

  Loop loop() {
    return loop;
  }

  List<Loop> loops() {
    return loops;
  }

  HostTransport transport() {
    return transport;
  }

  /** How each path connects, but for its address. */
  HostOptions hostOptions() {
    return host;
  }

  /** Whether no path can be added. */
  boolean full() {
    return paths.size() + left.size() >= MAX_PATHS;
  }

  /** Those that are being left, too. */
  List<Path> allPaths() {
    List<Path> all = new ArrayList<>(paths);
    all.addAll(left);
    return all;
  }

  /**
   * A path has connected for the first time.
   *
   * @throws RemoraException {@link Status#NOT_FOUND} when the namespace is not there, {@link Status#INVALID} when it is another
   *     one
   */
  void admit(Path path, HostController controller) {
    boolean first = !namespace.known();
    namespace.admit(controller, path.address());
    if (!first) {
      checkController(path, controller);
    }
  }

  /** Checks that {@code controller} is another one than those of the other live paths. */
  void checkController(Path path, HostController controller) {
    for (Path other : allPaths()) {
      HostController used = other.controller();
      if (other != path && used != null && other.live()) {
        Sameness.checkController(controller, used);
      }
    }
  }

  /** The namespace that all paths lead to. */
  SharedNamespace namespace() {
    return namespace;
  }

  /** A path is doing otherwise than before. */
  void changed() {
    if (availability.over() || !namespace.known()) {
      return;
    }
    List<Path> now = paths;
    if (namespace.follow(now)) {
      listeners.resized(this);
    }
    boolean usable = now.stream().anyMatch(path -> path.view().usable());
    boolean live = now.stream().anyMatch(Path::live);
    boolean gone = live && now.stream().filter(path -> path.status().state() != PathState.REFUSED)
        .allMatch(path -> path.live() && path.view().namespace() == null);
    witnesses.update(now);
    if (gone) {
      end(Status.NOT_FOUND);
      closePaths();
      return;
    }
    availability.update(usable, live);
    if (usable) {
      refusal = null;
    }
    refreshChannels();
  }

  private void refreshChannels() {
    for (MultipathChannel channel : channels) {
      channel.loop().execute(channel.refreshTask);
    }
  }

  /** There has been no path for too long: {@code forGood} or until there is one. */
  private void refuse(Status status, boolean forGood) {
    if (forGood) {
      end(status);
      closePaths();
    } else {
      refusal = status;
      refreshChannels();
    }
  }

  private void end(Status status) {
    if (!availability.end()) {
      return;
    }
    refusal = status;
    refreshChannels();
    listeners.removed(this, status);
  }

  // For channels.

  /** The paths that may be used, now or later. */
  List<Path> usedPaths() {
    return paths;
  }

  /** What requests complete with that find no path; null: they are held. */
  @Nullable
  Status refusal() {
    return refusal;
  }

  void forget(MultipathChannel channel) {
    channels.remove(channel);
  }

  // As a device.

  @Override
  public String name() {
    return namespace.name();
  }

  @Override
  public UUID uuid() {
    return namespace.info().uuid();
  }

  @Override
  public int blockSize() {
    return namespace.info().blockSize();
  }

  @Override
  public long sizeBytes() {
    return namespace.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return namespace.info().canDeallocate();
  }

  @Override
  public boolean readOnly() {
    return namespace.readOnly();
  }

  @Override
  public boolean volatileCache() {
    return namespace.volatileCache();
  }

  @Override
  public BlockChannel open(Loop on) {
    Status refused = refusal;
    if (refused != null && availability.over()) {
      throw new RemoraException(refused, name() + " takes no more I/O");
    }
    MultipathChannel channel = new MultipathChannel(this, on);
    channels.add(channel);
    channel.refresh();
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
    return namespace.name();
  }
}
