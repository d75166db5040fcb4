package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.nvme.AnaState;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What a controller says of itself, its namespaces, and how well it reaches them: read from each association that comes up, and again while one is live, when the controller says that something has
 * changed. Changed on the controller's first loop, read from any thread.
 */
final class Inventory {
  private final HostReport report;
  private final NamespaceList namespaces;
  private final AnaWatch ana;
  private volatile @Nullable ControllerInfo info;
  private @Nullable Association live;

  /** Nothing is known yet. */
  Inventory(HostController controller, Loop loop, HostReport report) {
    this.report = report;
    this.namespaces = new NamespaceList(controller);
    this.ana = new AnaWatch(loop, report::access);
  }

  /** What the controller last said of itself; null before it has. */
  @Nullable
  ControllerInfo info() {
    return info;
  }

  /** The namespaces that it has now, by identifier. */
  List<HostNamespace> namespaces() {
    return namespaces.all();
  }

  /** How well namespaces of an ANA group are reached. */
  AnaState access(int group) {
    return ana.of(group);
  }

  /** Reads everything from an association that comes up. */
  CompletableFuture<Void> read(Association next) {
    return NamespaceScan.of(next).thenCompose(found -> ana.read(next).thenAccept(v -> {
      info = next.info();
      take(found);
    }));
  }

  /** What was read holds for I/O on {@code association}, which says what changes. */
  void start(Association association) {
    live = association;
    ana.start(association);
  }

  /** There is no association any more; what is known stays. */
  void stop() {
    live = null;
    ana.stop();
  }

  /** Reads the namespaces anew, and how well they are reached. */
  void readNamespaces(Association of) {
    NamespaceScan.of(of).whenComplete((found, e) -> {
      if (e == null && live == of) {
        take(found);
        ana.refresh();
      }
    });
  }

  /** Reads anew how well namespaces are reached. */
  void readAccess() {
    ana.refresh();
  }

  /** There are no namespaces any more. */
  void clear(Status reason) {
    namespaces.removeAll(reason);
  }

  private void take(List<NamespaceInfo> found) {
    if (namespaces.take(found)) {
      report.namespaces(namespaces.all());
    }
  }
}
