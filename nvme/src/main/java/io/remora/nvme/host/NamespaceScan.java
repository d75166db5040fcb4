package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u32;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads which namespaces a controller has (Identify CNS 02h, 03h, 00h). Lives on the controller's first loop; used once. */
final class NamespaceScan {
  private static final int IDS_PER_LIST = 1024;
  /** More than a subsystem here will ever have; bounds what a controller can make us read. */
  private static final int MAX_NAMESPACES = 16 * IDS_PER_LIST;
  private static final int VERSION_1_3 = 0x00010300;

  private final Association association;
  private final MemorySegment list;
  private final MemorySegment identify;
  private final MemorySegment descriptors;
  private final List<Integer> ids = new ArrayList<>();
  private final List<NamespaceInfo> found = new ArrayList<>();

  private NamespaceScan(Association association) {
    this.association = association;
    this.list = association.allocate(4096);
    this.identify = association.allocate(NamespaceInfo.BYTES);
    this.descriptors = association.allocate(NamespaceInfo.BYTES);
  }

  /** All active namespaces that can be used, in the order of their identifiers. */
  static CompletableFuture<List<NamespaceInfo>> of(Association association) {
    NamespaceScan scan = new NamespaceScan(association);
    return scan.readIds(0).thenCompose(v -> scan.readNext(0));
  }

  private CompletableFuture<Void> readIds(int after) {
    return association.admin()
        .submit(AdminCommand.identify(AdminCommand.CNS_ACTIVE_NAMESPACES, after, 0, list))
        .thenCompose(done -> {
          int last = after;
          for (int i = 0; i < IDS_PER_LIST; i++) {
            int id = u32(list, 4L * i);
            if (id == 0) {
              return CompletableFuture.completedFuture(null);
            }
            if (Integer.compareUnsigned(id, last) <= 0 || ids.size() >= MAX_NAMESPACES) {
              throw new RemoraException(Status.PROTOCOL_ERROR,
                  "the list of namespaces is not in order, or has more than " + MAX_NAMESPACES);
            }
            ids.add(id);
            last = id;
          }
          return readIds(last);
        });
  }

  private CompletableFuture<List<NamespaceInfo>> readNext(int index) {
    if (index == ids.size()) {
      return CompletableFuture.completedFuture(found);
    }
    return read(ids.get(index)).thenCompose(v -> readNext(index + 1));
  }

  private CompletableFuture<Void> read(int nsid) {
    CompletableFuture<Boolean> described = association.info().version() < VERSION_1_3
        ? CompletableFuture.completedFuture(false)
        : succeeds(AdminCommand.identify(AdminCommand.CNS_DESCRIPTORS, nsid, 0, descriptors));
    return described
        .thenCompose(has -> succeeds(AdminCommand.identify(AdminCommand.CNS_NAMESPACE, nsid, 0, identify))
            .thenAccept(is -> add(is ? nsid : 0, has ? descriptors : null)));
  }

  /** A namespace of a kind that this host cannot use is left out; it must not keep the others from being used. */
  private void add(int nsid, @Nullable MemorySegment named) {
    if (nsid == 0) {
      return;
    }
    try {
      NamespaceInfo info = NamespaceInfo.parse(nsid, identify, named, association.info());
      if (info != null) {
        found.add(info);
      }
    } catch (RemoraException e) {
      if (e.status() != Status.UNSUPPORTED) {
        throw e;
      }
    }
  }

  /** Whether the controller answers with success; only its refusal counts as no. */
  private CompletableFuture<Boolean> succeeds(AdminCommand command) {
    return association.admin().submit(command).handle((done, failure) -> {
      if (failure != null && !association.admin().alive()) {
        throw new RemoraException(Status.DISCONNECTED, "the connection was lost during the scan of namespaces");
      }
      return failure == null;
    });
  }
}
