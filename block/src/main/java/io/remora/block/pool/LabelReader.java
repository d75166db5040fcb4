package io.remora.block.pool;

import io.remora.base.Crc32c;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads both copies of a disk's label. Stateless; on the file's loop. */
final class LabelReader {
  /** Both copies. */
  record Copies(Label.Found first, Label.Found second) {
    /** The copy that counts; null when there is none. */
    @Nullable
    Label newest() {
      Label one = first instanceof Label.Found.Valid(Label label) ? label : null;
      Label other = second instanceof Label.Found.Valid(Label label) ? label : null;
      if (one == null || other == null) {
        return one == null ? other : one;
      }
      return other.sequence() > one.sequence() ? other : one;
    }

    /** The highest sequence of both, 0 when there is none. */
    long sequence() {
      Label label = newest();
      return label == null ? 0 : label.sequence();
    }

    /** Whether both copies hold, and say the same. */
    boolean equal() {
      return first instanceof Label.Found.Valid(Label one) && second instanceof Label.Found.Valid(Label other)
          && one.sequence() == other.sequence();
    }

    /** Why the pool here cannot be read; null when no copy looks like a label. */
    @Nullable
    String complaint() {
      String one = complaint(first);
      return one == null ? complaint(second) : one;
    }

    /** What is here, for people; null when it is nothing. */
    @Nullable
    String describe() {
      Label label = newest();
      if (label != null) {
        return "disk %d of pool '%s' (%s)".formatted(label.diskIndex(), label.poolName(), label.poolUuid());
      }
      String why = complaint();
      return why == null ? null : "a pool whose label cannot be read: " + why;
    }

    private static @Nullable String complaint(Label.Found found) {
      return switch (found) {
        case Label.Found.Valid _,Label.Found.None _ -> null;
        case Label.Found.Broken(String why) -> why;
        case Label.Found.Newer(int version) -> "its format has version " + version + ", this program reads "
            + Layout.VERSION;
      };
    }
  }

  private LabelReader() {}

  static CompletableFuture<Copies> read(DiskFile file, Crc32c crc) {
    CompletableFuture<Label.Found> second = copy(file, Layout.LABEL_B, crc);
    return copy(file, Layout.LABEL_A, crc).thenCombine(second, Copies::new);
  }

  private static CompletableFuture<Label.Found> copy(DiskFile file, long offset, Crc32c crc) {
    if (file.sizeBytes() < offset + Layout.PAGE_BYTES) {
      return CompletableFuture.completedFuture(new Label.Found.None());
    }
    CompletableFuture<Label.Found> future = new CompletableFuture<>();
    MemorySegment page = Arena.ofAuto().allocate(Layout.PAGE_BYTES, Layout.PAGE_BYTES);
    IoRequest request = new IoRequest(done -> future.complete(done.status.isOk()
        ? Label.decode(page, crc)
        : new Label.Found.Broken("it cannot be read: " + done.status.text())));
    request.prepare(Op.READ, offset, Layout.PAGE_BYTES).sgl.add(page, 0, Layout.PAGE_BYTES);
    file.submit(request);
    return future;
  }
}
