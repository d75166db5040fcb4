package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Get Log Page: which part of which page (NVMe Base 2.0, 5.16). */
final class LogCommand {
  /** Bit of CDW10: the event that the page belongs to is not to be told again. */
  static final int RETAIN_EVENT = 1 << 15;

  private static final int OFFSET_IS_INDEX = 1 << 23;

  private LogCommand() {}

  static int decode(Command c) {
    long dwords = (c.cdw10 >>> 16) + ((c.cdw11 & 0xffffL) << 16) + 1;
    // Offsets count bytes.
    if (offset(c) < 0 || offset(c) % 4 != 0 || (c.cdw14 & OFFSET_IS_INDEX) != 0) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    return c.expect(Command.Direction.TO_HOST, dwords * 4);
  }

  static long offset(Command c) {
    return (c.cdw12 & 0xffff_ffffL) | (long) c.cdw13 << 32;
  }

  /** Copies what was asked for of {@code page}, null for one that there is not, and rearms its event. */
  static int copy(Command c, @Nullable MemorySegment page, Controller controller) {
    if (page == null) {
      return NvmeStatus.INVALID_LOG_PAGE | NvmeStatus.DNR;
    }
    long offset = offset(c);
    if (offset > page.byteSize()) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    MemorySegment data = c.memory().asSlice(0, c.dataBytes);
    long count = Math.min(c.dataBytes, page.byteSize() - offset);
    MemorySegment.copy(page, offset, data, 0, count);
    data.asSlice(count).fill((byte) 0);
    if ((c.cdw10 & RETAIN_EVENT) == 0) {
      controller.events().logRead(c.cdw10 & 0xff);
    }
    return NvmeStatus.SUCCESS;
  }
}
