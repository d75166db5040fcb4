package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.IoRequest;
import io.remora.base.Sgl;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Takes a request through the kernel operations it needs: the rest after a short read or write, a piece after the other where
 * memory is not aligned or the list is long, a fallback where the file system cannot zero a range, a sync behind it.
 */
final class DiskSteps {
  private static final int ZERO = Abi.FALLOC_FL_ZERO_RANGE | Abi.FALLOC_FL_KEEP_SIZE;
  private static final int PUNCH = Abi.FALLOC_FL_PUNCH_HOLE | Abi.FALLOC_FL_KEEP_SIZE;

  /** The kernel moves at most 2 GiB less a page at once. */
  private static final long MAX_STEP_BYTES = 1L << 30;

  private final DiskQueue queue;

  DiskSteps(DiskQueue queue) {
    this.queue = queue;
  }

  /** Describes the next kernel operation in {@code slot}; false when it has to wait for memory first. */
  boolean prepare(DiskSlot slot) {
    IoRequest request = request(slot);
    LinuxFile file = file(slot);
    switch (request.op) {
      case READ, WRITE -> {
        return prepareData(slot, request, file);
      }
      case WRITE_ZEROES -> {
        if (slot.syncing) {
          slot.set(Ring.OP_FSYNC, file.fd(), 0, 0, 0, Ring.FSYNC_DATASYNC);
        } else if (file.zeroing() == LinuxFile.Zeroing.BY_WRITING) {
          long step = Math.min(DiskQueue.BOUNCE_BYTES, request.length - slot.doneBytes);
          transfer(slot, queue.zeros().address(), step);
        } else {
          allocate(slot, request, file.zeroing() == LinuxFile.Zeroing.ZERO_RANGE ? ZERO : PUNCH);
        }
      }
      case DEALLOCATE -> allocate(slot, request, PUNCH);
      case FLUSH, COMPARE -> slot.set(Ring.OP_FSYNC, file.fd(), 0, 0, 0, Ring.FSYNC_DATASYNC);
    }
    return true;
  }

  /** What {@code result} means for the request: its status, or null when there is another step. */
  @Nullable
  Status finished(DiskSlot slot, int result) {
    IoRequest request = request(slot);
    LinuxFile file = file(slot);
    return switch (request.op) {
      case READ, WRITE -> finishedData(slot, request, file, result);
      case FLUSH, COMPARE -> synced(file, result);
      case DEALLOCATE -> result >= 0 ? Status.OK : Errno.ofFile(-result);
      case WRITE_ZEROES -> slot.syncing ? synced(file, result) : finishedZeroes(slot, request, file, result);
    };
  }

  private static Status synced(LinuxFile file, int result) {
    if (result < 0) {
      file.flushFailed();
    }
    return file.flushStatus();
  }

  private @Nullable Status finishedZeroes(DiskSlot slot, IoRequest request, LinuxFile file, int result) {
    if (result == -Errno.EOPNOTSUPP && slot.op == Ring.OP_FALLOCATE) {
      file.zeroingFailed(slot.length == ZERO ? LinuxFile.Zeroing.ZERO_RANGE : LinuxFile.Zeroing.PUNCH_HOLE);
      return null;
    }
    if (slot.op != Ring.OP_FALLOCATE) {
      Status status = finishedData(slot, request, file, result);
      return request.fua && status == Status.OK ? file.flushStatus() : status;
    }
    if (result < 0) {
      return Errno.ofFile(-result);
    }
    if (request.fua) {
      slot.syncing = true;
      return null;
    }
    return Status.OK;
  }

  private @Nullable Status finishedData(DiskSlot slot, IoRequest request, LinuxFile file, int result) {
    if (result < 0) {
      if (request.fua && !file.direct()) {
        // The kernel may have dropped other dirty pages of this range with it, and tells it once.
        file.flushFailed();
      }
      return Errno.ofFile(-result);
    }
    if (result == 0) {
      return request.op == IoRequest.Op.READ ? Status.OUT_OF_RANGE : Status.MEDIUM_ERROR;
    }
    long moved = Math.min(result, slot.stepBytes);
    if (moved < slot.stepBytes && file.direct()) {
      // The rest has to begin on a block again.
      moved -= moved % file.blockSize();
      if (moved == 0) {
        return request.op == IoRequest.Op.READ ? Status.OUT_OF_RANGE : Status.MEDIUM_ERROR;
      }
    }
    MemorySegment bounce = slot.bounce;
    if (bounce != null && request.op == IoRequest.Op.READ) {
      request.sgl.copyFrom(slot.doneBytes, bounce, 0, moved);
    }
    slot.doneBytes += moved;
    if (slot.doneBytes < request.length) {
      return null;
    }
    return request.fua ? file.flushStatus() : Status.OK;
  }

  private boolean prepareData(DiskSlot slot, IoRequest request, LinuxFile file) {
    long left = request.length - slot.doneBytes;
    long step = slot.bounce == null ? gather(slot, request.sgl, file, left) : 0;
    if (step > 0) {
      return true;
    }
    MemorySegment bounce = slot.bounce;
    if (bounce == null) {
      bounce = queue.takeBounce(slot);
      slot.bounce = bounce;
    }
    if (bounce == null) {
      return false;
    }
    step = Math.min(left, DiskQueue.BOUNCE_BYTES);
    if (request.op == IoRequest.Op.WRITE) {
      request.sgl.copyTo(slot.doneBytes, bounce, 0, step);
    }
    transfer(slot, bounce.address(), step);
    return true;
  }

  /**
   * Describes a step straight from or to the list's memory, from {@code slot.doneBytes} on. Returns its length, 0 when the
   * memory is not aligned for it.
   */
  private static long gather(DiskSlot slot, Sgl list, LinuxFile file, long left) {
    long memoryMask = file.memoryAlignment() - 1L;
    long skip = slot.doneBytes;
    long bytes = 0;
    int pieces = 0;
    long firstAddress = 0;
    for (int i = 0; i < list.count() && pieces < DiskSlot.MAX_IOVECS && bytes < MAX_STEP_BYTES; i++) {
      long length = list.length(i);
      if (skip >= length) {
        skip -= length;
        continue;
      }
      long address = list.address(i) + skip;
      long take = Math.min(length - skip, MAX_STEP_BYTES - bytes);
      skip = 0;
      if (((address | take) & memoryMask) != 0) {
        return 0;
      }
      slot.iovecs.set(JAVA_LONG, pieces * 16L, address);
      slot.iovecs.set(JAVA_LONG, pieces * 16L + 8, take);
      firstAddress = pieces == 0 ? address : firstAddress;
      bytes += take;
      pieces++;
    }
    if (bytes < left) {
      long excess = bytes % file.blockSize();
      if (excess > 0) {
        return 0;
      }
    }
    if (pieces == 1) {
      transfer(slot, firstAddress, bytes);
    } else {
      vectored(slot, pieces, bytes);
    }
    return bytes;
  }

  private static void transfer(DiskSlot slot, long address, long bytes) {
    IoRequest request = request(slot);
    boolean read = request.op == IoRequest.Op.READ;
    slot.stepBytes = bytes;
    slot.set(read ? Ring.OP_READ : Ring.OP_WRITE, file(slot).fd(), request.offset + slot.doneBytes, address,
        (int) bytes,
        writeFlags(request));
  }

  private static void vectored(DiskSlot slot, int pieces, long bytes) {
    IoRequest request = request(slot);
    boolean read = request.op == IoRequest.Op.READ;
    slot.stepBytes = bytes;
    slot.set(read ? Ring.OP_READV : Ring.OP_WRITEV, file(slot).fd(), request.offset + slot.doneBytes,
        slot.iovecs.address(), pieces, writeFlags(request));
  }

  private static void allocate(DiskSlot slot, IoRequest request, int mode) {
    // Laid out as io_uring wants it: the range's length in the place of the address, the mode in that of the length.
    slot.set(Ring.OP_FALLOCATE, file(slot).fd(), request.offset, request.length, mode, 0);
  }

  private static int writeFlags(IoRequest request) {
    return request.fua && request.op != IoRequest.Op.READ ? Abi.RWF_DSYNC : 0;
  }

  private static IoRequest request(DiskSlot slot) {
    IoRequest request = slot.request;
    assert request != null;
    return request;
  }

  private static LinuxFile file(DiskSlot slot) {
    LinuxFile file = slot.file;
    assert file != null;
    return file;
  }
}
