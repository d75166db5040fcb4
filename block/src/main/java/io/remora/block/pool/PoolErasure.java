package io.remora.block.pool;

import io.remora.base.Crc32c;
import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.Zeros;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Takes the labels of one pool off disks. On the given loop. */
final class PoolErasure {
  private final Loop loop;
  private final UUID pool;

  private PoolErasure(Loop loop, UUID pool) {
    this.loop = loop;
    this.pool = pool;
  }

  static CompletableFuture<Void> run(Loop loop, UUID pool, List<Path> paths) {
    PoolErasure erasure = new PoolErasure(loop, pool);
    CompletableFuture<Void> erased = CompletableFuture.completedFuture(null);
    for (Path path : paths) {
      erased = erased.thenCompose(_ -> erasure.erase(path));
    }
    return erased;
  }

  private CompletableFuture<Void> erase(Path path) {
    DiskFile file;
    try {
      file = loop.disk().open(path, Disk.Mode.WRITE);
    } catch (RemoraException e) {
      return e.status() == Status.NOT_FOUND
          ? CompletableFuture.completedFuture(null)
          : CompletableFuture.failedFuture(e);
    }
    return LabelReader.read(file, new Crc32c()).thenCompose(copies -> {
      Label label = copies.newest();
      boolean ours = label == null ? copies.complaint() != null : label.poolUuid().equals(pool);
      return ours ? wipe(file) : CompletableFuture.<Void>completedFuture(null);
    }).whenComplete((_, _) -> file.close());
  }

  private static CompletableFuture<Void> wipe(DiskFile file) {
    return io(file, Op.WRITE, Layout.LABEL_A).thenCompose(_ -> io(file, Op.WRITE, Layout.LABEL_B))
        .thenCompose(_ -> io(file, Op.FLUSH, 0));
  }

  private static CompletableFuture<Void> io(DiskFile file, Op op, long offset) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    IoRequest request = new IoRequest(done -> {
      if (done.status.isOk()) {
        future.complete(null);
      } else {
        future.completeExceptionally(new RemoraException(done.status,
            file.path() + ": the label of a pool cannot be taken off: " + done.status.text()));
      }
    });
    request.prepare(op, offset, op == Op.WRITE ? Layout.PAGE_BYTES : 0);
    if (op == Op.WRITE) {
      request.sgl.add(Zeros.SEGMENT, 0, Layout.PAGE_BYTES);
    }
    file.submit(request);
    return future;
  }
}
