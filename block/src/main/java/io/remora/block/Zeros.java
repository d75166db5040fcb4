package io.remora.block;

import io.remora.base.Sgl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A piece of native memory that is zero and stays so. From any thread. */
public final class Zeros {
  /** Its length. */
  public static final int BYTES = 256 << 10;

  /** The memory, aligned to 4 KiB, read-only. */
  public static final MemorySegment SEGMENT = Arena.global().allocate(BYTES, 4096).asReadOnly();

  private Zeros() {}

  /** Fills {@code length} bytes of {@code list} from its byte {@code from} on with zeros. */
  public static void fill(Sgl list, long from, long length) {
    long done = 0;
    while (done < length) {
      long take = Math.min(BYTES, length - done);
      list.copyFrom(from + done, SEGMENT, 0, take);
      done += take;
    }
  }

  /** Whether {@code length} bytes of {@code list} from its byte {@code from} on are zeros. */
  public static boolean equal(Sgl list, long from, long length) {
    for (long done = 0; done < length; done += BYTES) {
      if (!list.equalTo(from + done, SEGMENT, 0, Math.min(BYTES, length - done))) {
        return false;
      }
    }
    return true;
  }

  /** Whether {@code length} bytes at {@code offset} of {@code segment} are zeros. */
  public static boolean equal(MemorySegment segment, long offset, long length) {
    for (long done = 0; done < length; done += BYTES) {
      long take = Math.min(BYTES, length - done);
      if (MemorySegment.mismatch(segment, offset + done, offset + done + take, SEGMENT, 0, take) >= 0) {
        return false;
      }
    }
    return true;
  }
}
