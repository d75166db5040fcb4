package io.remora.nvme.host;

import io.remora.base.Status;
import java.util.ArrayList;
import java.util.List;

/**
 * The namespaces of one controller: what a scan finds is held against what was there, so that a namespace that stays keeps its
 * object, and with it its channels. Changed on the controller's first loop, read from any thread.
 */
final class NamespaceList {
  private final HostController controller;
  private volatile List<HostNamespace> namespaces = List.of();

  NamespaceList(HostController controller) {
    this.controller = controller;
  }

  /** All of them, by identifier. */
  List<HostNamespace> all() {
    return namespaces;
  }

  /** There are {@code found} now and no others; gives whether the list is another than before. */
  boolean take(List<NamespaceInfo> found) {
    List<HostNamespace> next = new ArrayList<>();
    List<HostNamespace> before = new ArrayList<>(namespaces);
    for (NamespaceInfo each : found) {
      HostNamespace known = before.stream().filter(namespace -> namespace.sameAs(each)).findFirst().orElse(null);
      if (known != null) {
        before.remove(known);
        known.update(each);
        next.add(known);
      } else {
        next.add(new HostNamespace(controller, each));
      }
    }
    boolean changed = !next.equals(namespaces);
    namespaces = List.copyOf(next);
    for (HostNamespace gone : before) {
      gone.remove(Status.NOT_FOUND);
    }
    return changed;
  }

  /** There are none any more. */
  void removeAll(Status reason) {
    List<HostNamespace> before = namespaces;
    namespaces = List.of();
    before.forEach(namespace -> namespace.remove(reason));
  }
}
