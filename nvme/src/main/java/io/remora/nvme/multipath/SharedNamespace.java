package io.remora.nvme.multipath;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostNamespace;
import io.remora.nvme.host.NamespaceInfo;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The namespace that all paths of a device lead to: what the first path said of it, and what the paths agree upon now. Changed on the
 * device's first loop, read from any thread.
 */
final class SharedNamespace {
  private final Optional<Integer> wanted;
  private volatile @Nullable NamespaceInfo reference;
  private volatile String name;
  private volatile long sizeBytes;
  private volatile boolean readOnly;
  private volatile boolean volatileCache = true;

  SharedNamespace(MultipathOptions options) {
    this.wanted = options.nsid();
    this.name = options.host().subsystemNqn();
  }

  /** Whether a path has been there. */
  boolean known() {
    return reference != null;
  }

  /** What the first path said; there must have been one. */
  NamespaceInfo info() {
    NamespaceInfo known = reference;
    Check.that(known != null, "not connected yet");
    assert known != null;
    return known;
  }

  String name() {
    return name;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  boolean readOnly() {
    return readOnly;
  }

  boolean volatileCache() {
    return volatileCache;
  }

  /**
   * A path has connected for the first time.
   *
   * @throws RemoraException {@link Status#NOT_FOUND} when the namespace is not there, {@link Status#INVALID} when it is another
   *     one
   */
  void admit(HostController controller, InetSocketAddress at) {
    NamespaceInfo known = reference;
    Optional<Integer> nsid = known == null ? wanted : Optional.of(known.nsid());
    HostNamespace found = controller.namespaces().stream().filter(each -> nsid.orElse(each.nsid()) == each.nsid())
        .findFirst().orElseThrow(() -> new RemoraException(Status.NOT_FOUND, "%s at %s has no namespace%s".formatted(
            controller.subsystemNqn(), Addresses.format(at), nsid.map(id -> " " + id).orElse(""))));
    if (known != null) {
      Sameness.checkShareable(found);
      Sameness.check(known, sizeBytes, found);
      return;
    }
    name = found.name();
    sizeBytes = found.sizeBytes();
    readOnly = found.readOnly();
    volatileCache = found.volatileCache();
    reference = found.info();
  }

  /** The namespace at {@code controller}; null when it is not there, or another one is in its place. */
  @Nullable
  HostNamespace find(HostController controller) {
    NamespaceInfo known = info();
    return controller.namespace(known.nsid()).filter(each -> Sameness.same(known, each.info())).orElse(null);
  }

  /**
   * Takes over what all live paths agree upon: until each has heard of a growth, nobody may use it. Gives whether the size is another
   * than before.
   */
  boolean follow(List<Path> paths) {
    long size = Long.MAX_VALUE;
    boolean protectedNow = false;
    for (Path path : paths) {
      HostNamespace namespace = path.view().namespace();
      if (namespace != null) {
        size = Math.min(size, namespace.sizeBytes());
        protectedNow |= namespace.readOnly();
        volatileCache |= namespace.volatileCache();
      }
    }
    if (size == Long.MAX_VALUE) {
      return false;
    }
    readOnly = protectedNow;
    boolean resized = size != sizeBytes;
    sizeBytes = size;
    return resized;
  }
}
