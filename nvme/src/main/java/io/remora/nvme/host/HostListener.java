package io.remora.nvme.host;

import java.util.List;

/** Hears what happens to a controller, on the controller's first loop. */
public interface HostListener {
  /** The state is another now. */
  default void onState(HostController controller, HostStatus status) {}

  /** The list of namespaces is another now. What became of one that was there before, its own listeners hear. */
  default void onNamespaces(HostController controller, List<HostNamespace> namespaces) {}

  /** The controller has said anew how well it reaches its namespaces ({@link HostNamespace#access}); it may be as before. */
  default void onAccess(HostController controller) {}
}
