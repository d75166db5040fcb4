package io.remora.nvme.tcp;

import io.remora.base.Buffer;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Sqe;
import io.remora.nvme.target.Command;
import io.remora.nvme.target.Deadlines;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.LoopSeats;
import io.remora.nvme.target.Port;
import io.remora.nvme.target.QueuePair;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.Transport;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The target's end of one NVMe/TCP connection, which carries one queue. Belongs to one loop.
 *
 * <p>It takes PDUs as long as it may, has commands carried out and answered, and ends in order. Invariants: there are no more commands than slots, which bounds what is unsent; a peer that takes
 * nothing for too long is dropped, and so is one that does not come to Connect in time.
 */
final class TargetConnection implements StreamSocket.Handler, PduReader.Handler, TargetSender.Handler, Transport {
  private enum State {
    /** Commands come and go. */
    OPEN,
    /** Nothing is taken any more; what was queued is sent. */
    DRAINING,
    /** Everything was sent; the peer is given a moment to close. */
    LINGERING, CLOSED
  }

  private static final System.Logger LOG = System.getLogger(TargetConnection.class.getName());
  /** Where PDUs are read to, in bytes. */
  static final int STAGING_BYTES = 128 << 10;
  /** What one connection reads in one turn, in bytes, before others have theirs. */
  private static final int TURN_BYTES = 256 << 10;
  /** In-capsule data that admin and fabrics commands may always bring, in bytes. */
  private static final int MIN_CAPSULE_BYTES = 8192;
  /** Slots before Connect: for it, and to answer what must not come before. */
  private static final int FIRST_SLOTS = 4;

  private final LoopContext context;
  private final LoopSeats.Seat seat;
  private final TargetConfig config;
  private final StreamSocket socket;
  private final Buffer staging;
  private final PduReader reader;
  private final QueuePair queue;
  private final Deadlines deadlines;
  private final Timer readOn;
  private final TargetSlots slots;
  private final TargetTransfers transfers;
  private final TargetSender sender;
  private State state = State.OPEN;

  private TargetConnection(LoopContext context, Buffer staging, StreamListener.Accepted accepted,
      LoopSeats.Seat seat) {
    this.context = context;
    this.seat = seat;
    this.config = context.target().config();
    this.staging = staging;
    this.queue = new QueuePair(context, this);
    this.reader = new PduReader(PduReader.Role.TARGET, staging.segment(),
        Math.max(MIN_CAPSULE_BYTES, config.inCapsuleBytes()), this);
    this.slots = new TargetSlots(queue, FIRST_SLOTS);
    this.transfers = new TargetTransfers(queue, slots, config.maxTransferBytes(), this);
    this.deadlines = new Deadlines(context, queue, this, new Progress());
    this.readOn = context.loop().timer(this::onReadable);
    this.socket = accepted.attach(context.loop(), this);
    this.sender = new TargetSender(context, socket, queue, slots, this);
  }

  /** Serves a connection that has come in, on the context's loop, with {@link #STAGING_BYTES} of memory; the target has counted it. */
  static void serve(LoopContext context, Buffer staging, StreamListener.Accepted accepted, LoopSeats.Seat seat) {
    TargetConnection connection = new TargetConnection(context, staging, accepted, seat);
    if (connection.queue.open()) {
      context.newcomer(connection);
      connection.deadlines.awaitConnect();
      connection.onReadable();
    } else {
      connection.socket.close();
      seat.leave();
      connection.idle();
    }
  }

  // Reading.

  @Override
  public void onReadable() {
    if (state == State.OPEN) {
      switch (reader.advance(socket, TURN_BYTES)) {
        case DRAINED, STALLED, STOPPED -> {
        }
        case MORE -> readOn.arm(0);
        case CLOSED -> close("the peer has ended the connection: " + socket.closeReason().text());
      }
    } else if (state != State.CLOSED) {
      discard();
    }
  }

  @Override
  public void resume() {
    if (state == State.OPEN) {
      readOn.arm(0);
    }
  }

  private void discard() {
    for (int i = 0; i < 8; i++) {
      long count = socket.read(staging.segment(), 0, STAGING_BYTES);
      if (count == 0) {
        return;
      }
      if (count < 0) {
        close("closed by both ends");
        return;
      }
    }
    readOn.arm(0);
  }

  @Override
  public boolean onPdu(MemorySegment s, long base, long data, int dataLength, boolean digestOk) {
    return switch (Pdu.type(s, base)) {
      case Pdu.CAPSULE_CMD -> onCommand(s, base, data, dataLength, digestOk);
      case Pdu.IC_REQ -> {
        onInitialize(s, base);
        yield true;
      }
      default -> {
        terminate(
            "the host ends the connection: fatal error " + Pdu.fes(s, base) + ", information " + Pdu.fei(s, base));
        yield true;
      }
    };
  }

  private void onInitialize(MemorySegment s, long base) {
    int alignment = Pdu.alignment(s, base);
    if (!sender.open(alignment)) {
      close("no memory for another connection");
      return;
    }
    if (Pdu.formatVersion(s, base) != 0) {
      onBad(Pdu.FES_INVALID_FIELD, 8, s, base, Pdu.IC_BYTES);
      return;
    }
    if (alignment > TargetOutput.MAX_ALIGNMENT) {
      onBad(Pdu.FES_INVALID_FIELD, 10, s, base, Pdu.IC_BYTES);
      return;
    }
    int digests = Pdu.digests(s, base) & (Pdu.FLAG_HDGST | Pdu.FLAG_DDGST);
    reader.digests((digests & Pdu.FLAG_HDGST) != 0, (digests & Pdu.FLAG_DDGST) != 0);
    sender.initialize(digests, config.maxTransferBytes());
  }

  private boolean onCommand(MemorySegment s, long base, long data, int dataLength, boolean digestOk) {
    if (queue.draining()) {
      return true;
    }
    TargetCommand command = slots.take();
    if (command == null) {
      sender.refuse(Sqe.cid(s, base + Pdu.COMMON_BYTES), NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR);
      terminate("more commands than the queue has entries");
      return true;
    }
    if (!queue.submit(command, s, base + Pdu.COMMON_BYTES, data, dataLength, digestOk)) {
      slots.free(command);
      return false;
    }
    return true;
  }

  @Override
  public @Nullable Sgl onData(MemorySegment s, long base) {
    return transfers.place(s, base);
  }

  @Override
  public void onDataEnd(boolean digestOk) {
    transfers.placed(digestOk);
  }

  @Override
  public void onBad(int fes, long fei, MemorySegment s, long base, int length) {
    String why = "fatal error %d, information %d, in a %s".formatted(fes, fei, Pdu.name(Pdu.type(s, base)));
    if (!sender.isOpen() && !sender.open(0)) {
      close(why);
      return;
    }
    sender.terminate(fes, fei, s, base, length);
    terminate(why);
  }

  // What the queue asks for.

  @Override
  public Limits limits() {
    return new Limits(Port.TransportType.TCP, Limits.ANY_QUEUE, config.queueEntries(), config.queueEntries(),
        config.inCapsuleBytes());
  }

  @Override
  public boolean acceptsSgl(int type) {
    return type == Sqe.SGL_TRANSPORT;
  }

  @Override
  public void connected(int entries) {
    deadlines.connected();
    context.notNew(this);
    if (queue.admin()) {
      seat.leave();
    }
    slots.grow(entries);
  }

  @Override
  public void fetch(Command command) {
    sender.requestData((TargetCommand) command);
    transfers.begin();
    deadlines.watch();
  }

  @Override
  public void respond(Command command) {
    sender.respond((TargetCommand) command);
  }

  @Override
  public void forget(Command command) {
    slots.free((TargetCommand) command);
  }

  // What becomes of that.

  @Override
  public void onWritable() {
    sender.onWritable();
  }

  @Override
  public void onBlocked() {
    deadlines.watch();
  }

  @Override
  public void onAllSent() {
    if (state == State.DRAINING) {
      linger();
    }
  }

  @Override
  public void onGone() {
    close("the peer is gone: " + socket.closeReason().text());
  }

  // The end.

  @Override
  public void onClosed(Status reason) {
    close("the connection has failed: " + reason.text());
  }

  @Override
  public void terminate(String why) {
    if (state != State.OPEN) {
      return;
    }
    log(why);
    state = State.DRAINING;
    reader.stop();
    context.notNew(this);
    queue.closed();
    deadlines.awaitEnd();
    sender.flushLater();
    if (!sender.isOpen()) {
      linger();
    }
  }

  /** Sends our end and waits for the peer's, so that what was sent last is not lost to a reset. */
  private void linger() {
    state = State.LINGERING;
    sender.stop();
    socket.shutdownOutput();
    readOn.arm(0);
  }

  @Override
  public void drop(String why) {
    close(why);
  }

  private void close(String why) {
    if (state == State.CLOSED) {
      return;
    }
    if (state == State.OPEN) {
      log(why);
    }
    state = State.CLOSED;
    seat.leave();
    reader.stop();
    context.notNew(this);
    queue.closed();
    deadlines.cancel();
    readOn.cancel();
    socket.close();
    sender.free();
    slots.abandon();
    queue.detach();
  }

  @Override
  public void idle() {
    context.target().leaveConnection();
    staging.release();
  }

  private void log(String why) {
    LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", socket.remoteAddress(), why);
  }

  @Override
  public InetSocketAddress localAddress() {
    return socket.localAddress();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return socket.remoteAddress();
  }

  private final class Progress implements Deadlines.Progress {
    @Override
    public boolean sending() {
      return sender.blocked();
    }

    @Override
    public long sentBytes() {
      return sender.sentBytes();
    }

    @Override
    public boolean fetching() {
      return transfers.waiting();
    }

    @Override
    public long fetchedBytes() {
      return transfers.receivedBytes();
    }
  }
}
