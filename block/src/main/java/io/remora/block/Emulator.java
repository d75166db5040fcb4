package io.remora.block;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * COMPARE and WRITE_ZEROES for whoever has only READ and WRITE: a piece at a time, through a few buffers that are taken on first
 * use. Requests that find all of them busy wait in order. Belongs to one loop; allocates nothing in the steady state.
 */
public final class Emulator {
  private static final int SLOTS = 4;
  private static final int PIECE_BYTES = 64 << 10;

  /** Takes the READs and WRITEs. */
  public interface Lower {
    /** Starts one; completion never inside this call. */
    void submit(IoRequest request);
  }

  /** Hears that an emulated request has ended. Never called inside {@link Emulator#start}. */
  public interface Ended {
    /** {@code request} is to be completed with {@code status}. */
    void ended(IoRequest request, Status status);
  }

  private final Lower lower;
  private final Ended ended;
  private @Nullable Slot free;
  private @Nullable IoRequest head;
  private @Nullable IoRequest tail;

  /** An emulator over {@code lower}. */
  public Emulator(Lower lower, Ended ended) {
    this.lower = lower;
    this.ended = ended;
    for (int i = 0; i < SLOTS; i++) {
      Slot slot = new Slot();
      slot.next = free;
      free = slot;
    }
  }

  /** Starts {@code request}, a COMPARE or WRITE_ZEROES that fits the device. */
  public void start(IoRequest request) {
    Slot slot = free;
    if (slot != null) {
      free = slot.next;
      slot.start(request);
      return;
    }
    request.link = null;
    IoRequest last = tail;
    if (last == null) {
      head = request;
    } else {
      last.link = request;
    }
    tail = request;
  }

  private void release(Slot slot) {
    IoRequest waiting = head;
    if (waiting == null) {
      slot.next = free;
      free = slot;
      return;
    }
    head = waiting.link;
    if (head == null) {
      tail = null;
    }
    waiting.link = null;
    slot.start(waiting);
  }

  private final class Slot implements IoRequest.Completion {
    private final IoRequest io = new IoRequest(this);
    private @Nullable MemorySegment buffer;
    private @Nullable IoRequest request;
    private long done;
    private @Nullable Slot next;

    void start(IoRequest whole) {
      request = whole;
      done = 0;
      piece(whole);
    }

    private void piece(IoRequest whole) {
      boolean compare = whole.op == Op.COMPARE;
      long length = Math.min(compare ? PIECE_BYTES : Zeros.BYTES, whole.length - done);
      io.prepare(compare ? Op.READ : Op.WRITE, whole.offset + done, length);
      io.fua = whole.fua && !compare;
      io.sgl.add(compare ? memory() : Zeros.SEGMENT, 0, length);
      lower.submit(io);
    }

    private MemorySegment memory() {
      MemorySegment memory = buffer;
      if (memory == null) {
        memory = Arena.ofAuto().allocate(PIECE_BYTES, 4096);
        buffer = memory;
      }
      return memory;
    }

    @Override
    public void completed(IoRequest part) {
      IoRequest whole = request;
      assert whole != null;
      Status status = part.status;
      if (status.isOk() && whole.op == Op.COMPARE && !whole.sgl.equalTo(done, memory(), 0, part.length)) {
        status = Status.MISCOMPARE;
      }
      done += part.length;
      if (status.isOk() && done < whole.length) {
        piece(whole);
        return;
      }
      request = null;
      release(this);
      ended.ended(whole, status);
    }
  }
}
