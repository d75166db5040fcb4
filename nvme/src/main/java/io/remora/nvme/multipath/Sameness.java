package io.remora.nvme.multipath;

import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostNamespace;
import io.remora.nvme.host.NamespaceInfo;

/** Whether two paths lead to the same namespace. Stateless. */
final class Sameness {
  private Sameness() {}

  /**
   * Whether {@code info} describes the namespace that {@code reference} describes; it may have grown or shrunk.
   */
  static boolean same(NamespaceInfo reference, NamespaceInfo info) {
    return info.nsid() == reference.nsid() && info.ids().equals(reference.ids())
        && info.blockSize() == reference.blockSize();
  }

  /**
   * Checks a namespace of a path that is new.
   *
   * @param reference what the paths before lead to
   * @param sizeBytes how large that is
   * @throws RemoraException {@link Status#INVALID} when it is something else, or cannot be told from something else
   */
  static void check(NamespaceInfo reference, long sizeBytes, HostNamespace candidate) {
    NamespaceInfo info = candidate.info();
    require(info.ids().equals(reference.ids()), candidate, "it is another namespace: %s, not %s", info.ids(),
        reference.ids());
    require(info.blockSize() == reference.blockSize(), candidate, "its blocks have %d bytes, not %d", info.blockSize(),
        reference.blockSize());
    require(info.sizeBytes() == sizeBytes, candidate, "it has %d bytes, not %d", info.sizeBytes(), sizeBytes);
  }

  /** Checks that a namespace can be told from others, and may be reached by several paths. */
  static void checkShareable(HostNamespace candidate) {
    require(!candidate.info().ids().isEmpty(), candidate,
        "it has no UUID, NGUID or EUI-64, so nothing tells that another path leads to the same data");
    require(candidate.info().shared(), candidate, "the controller says that no other controller has it (NMIC)");
    require(candidate.controller().info().hasSiblings(), candidate,
        "the controller says that its subsystem has no other controllers (CMIC)");
  }

  /** Checks that two paths are two controllers. */
  static void checkController(HostController one, HostController other) {
    if (one.info().cntlid() == other.info().cntlid()) {
      throw new RemoraException(Status.INVALID,
          "the controller at %s has the same identifier %d as the one at %s: these are two subsystems of one name"
              .formatted(Addresses.format(one.options().address()), one.info().cntlid(),
                  Addresses.format(other.options().address())));
    }
  }

  private static void require(boolean holds, HostNamespace candidate, String format, Object... args) {
    if (!holds) {
      throw new RemoraException(Status.INVALID, "namespace %d of %s at %s cannot be a path: %s".formatted(
          candidate.nsid(), candidate.controller().subsystemNqn(),
          Addresses.format(candidate.controller().options().address()),
          format.formatted(args)));
    }
  }
}
