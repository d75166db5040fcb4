package io.remora.nvme.rdma;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.target.Command;
import io.remora.nvme.target.Deadlines;
import io.remora.nvme.target.QueuePair;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.SendRequest;
import org.jspecify.annotations.Nullable;

/**
 * What one connection of a target asks of its send queue: reads of what hosts want written, writes of what they want read, and answers. Belongs to the connection's loop.
 *
 * <p>Invariants: no more is posted than the send queue holds, what does not fit waits in order; nothing is posted before {@link #begin} or after {@link #end}.
 */
final class TargetRequests implements Deadlines.Progress {
  /** Hears, not from within a call of this class's, that a request could not be posted. */
  interface Handler {
    void onRefused(String what, Status status);
  }

  /** What a work request is, in the low bits of its identifier; its slot's number is above. */
  static final int READ = 1;
  static final int RESPONSE = 2;
  static final int KIND_BITS = 2;

  private final TargetDevice device;
  private final QueuePair queue;
  private final ConnectionMemory memory;
  private final boolean inline;
  private final Handler handler;
  private io.remora.verbs.@Nullable QueuePair verbs;
  /** Commands that wait for places in the send queue, in order. */
  private @Nullable TargetSlot first;
  private @Nullable TargetSlot last;
  private int places;
  private int responses;
  private int reads;
  private long sentBytes;
  private long readBytes;

  /**
   * None yet.
   *
   * @param places how many requests the send queue holds
   * @param inline whether answers are copied by the post
   */
  TargetRequests(TargetDevice device, QueuePair queue, ConnectionMemory memory, int places, boolean inline,
      Handler handler) {
    this.device = device;
    this.queue = queue;
    this.memory = memory;
    this.places = places;
    this.inline = inline;
    this.handler = handler;
  }

  /** Requests are posted to {@code to} from now on. */
  void begin(io.remora.verbs.QueuePair to) {
    verbs = to;
  }

  /** Nothing is posted any more. */
  void end() {
    verbs = null;
  }

  /** Reads the host's data for the command of {@code slot}. */
  void fetch(TargetSlot slot) {
    reads++;
    postInTurn(slot);
  }

  /** Writes the data of the command of {@code slot} to the host, if there is some, and answers it. */
  void respond(TargetSlot slot) {
    responses++;
    postInTurn(slot);
  }

  /** What {@link #fetch} was asked for has come. */
  void fetched(TargetSlot slot) {
    reads--;
    readBytes += slot.movesBytes;
    giveBack(slot);
  }

  /** What {@link #respond} was asked for has gone. */
  void responded(TargetSlot slot) {
    responses--;
    sentBytes += slot.movesBytes;
    giveBack(slot);
  }

  @Override
  public boolean sending() {
    return responses > 0;
  }

  @Override
  public long sentBytes() {
    return sentBytes;
  }

  @Override
  public boolean fetching() {
    return reads > 0;
  }

  @Override
  public long fetchedBytes() {
    return readBytes;
  }

  private void giveBack(TargetSlot slot) {
    places += slot.places;
    slot.places = 0;
    while (first != null && verbs != null) {
      TargetSlot next = first;
      if (places < placesFor(next)) {
        return;
      }
      first = next.nextToSend;
      next.nextToSend = null;
      if (first == null) {
        last = null;
      }
      post(next);
    }
  }

  private void postInTurn(TargetSlot slot) {
    if (first == null && places >= placesFor(slot)) {
      post(slot);
      return;
    }
    TargetSlot before = last;
    if (before == null) {
      first = slot;
    } else {
      before.nextToSend = slot;
    }
    last = slot;
  }

  private static int placesFor(TargetSlot slot) {
    return slot.state() == Command.State.RESPONDING && slot.sendsData() ? 2 : 1;
  }

  private void post(TargetSlot slot) {
    slot.places = placesFor(slot);
    places -= slot.places;
    if (slot.state() == Command.State.FETCHING) {
      SendRequest read = device.read.read(slot.hostAddress(), slot.hostKey()).id(id(slot, READ));
      data(read, slot);
      slot.movesBytes = slot.dataBytes();
      send(read, "a read from the host");
      return;
    }
    slot.movesBytes = Cqe.BYTES;
    if (slot.sendsData()) {
      SendRequest write = device.write.write(slot.hostAddress(), slot.hostKey()).signalled(false);
      data(write, slot);
      slot.movesBytes += slot.dataBytes();
      send(write, "a write to the host");
    }
    SendRequest response = device.response.id(id(slot, RESPONSE)).inline(inline);
    if (device.invalidates && slot.sglType() == Sqe.SGL_KEYED_INVALIDATE) {
      response.sendWithInvalidate(slot.hostKey());
    } else {
      response.send();
    }
    memory.describe(response, slot.index, slot.result(), queue.sqhd(slot), slot.cid(), slot.status());
    send(response, "an answer");
  }

  private static long id(TargetSlot slot, int kind) {
    return (long) slot.index << KIND_BITS | kind;
  }

  private void data(SendRequest request, Command command) {
    Sgl data = command.data();
    request.clear();
    for (int i = 0; i < data.count(); i++) {
      long address = data.address(i);
      MemoryRegion region = command.borrows() ? device.lent : device.memory.find(address, data.length(i));
      if (region == null) {
        throw new IllegalStateException("data outside of the loop's memory: " + command);
      }
      request.add(region, address - region.segment().address(), (int) data.length(i));
    }
  }

  private void send(SendRequest request, String what) {
    io.remora.verbs.QueuePair to = verbs;
    if (to != null) {
      Status posted = to.postSend(request);
      if (!posted.isOk()) {
        device.context.loop().defer(() -> handler.onRefused(what, posted));
      }
    }
  }
}
