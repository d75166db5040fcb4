package io.remora.nvme.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.host.HostTransport;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The queue pair of one connection of a host: resolved, made, and connected to the controller with what NVMe/RDMA has both ends say (NVMe RDMA Transport 1.0, 3.2); what completes on it is taken in
 * turns. Belongs to the connection.
 */
final class HostQueuePair implements CmId.Handler {
  /** Hears what happens; closes this when it has failed. */
  interface Handler {
    /** Requests may be posted; receives have to be now, before the controller can send. */
    void onMade();

    /** The controller has receives for all commands of the queue. */
    void onReady();

    /** {@code count} requests have completed. */
    void onCompletions(WorkCompletions done, int count);

    /** There is no connection, or none any more. */
    void onFailed(Status reason, String text);
  }

  private static final int POLLS_PER_TURN = 4;

  private final HostDevice device;
  private final HostTransport.Link parameters;
  private final int reads;
  private final int maxPieces;
  private final Handler handler;
  private final Timer pollOn;
  private @Nullable CmId id;
  private @Nullable CompletionQueue completions;
  private @Nullable QueuePair pair;
  private boolean closed;

  /**
   * One that does not connect yet.
   *
   * @param reads how many reads of the controller's it serves at once, when the device takes as many
   * @param maxPieces of a request
   */
  HostQueuePair(HostDevice device, HostTransport.Link parameters, int reads, int maxPieces, Handler handler) {
    this.device = device;
    this.parameters = parameters;
    this.reads = reads;
    this.maxPieces = maxPieces;
    this.handler = handler;
    this.pollOn = device.loop().timer(this::poll);
  }

  /** Begins to connect. */
  void open() {
    id = device.device().connectionManager().resolve(parameters.address(), QueuePairType.RC, this);
  }

  @Override
  public void onResolved() {
    CmId own = id;
    if (closed || own == null) {
      return;
    }
    try {
      DeviceAttributes attributes = device.device().attributes();
      int entries = parameters.entries();
      // For each command: bind, send, invalidate.
      int sends = 3 * entries;
      if (sends > attributes.maxWorkRequests()) {
        throw new RemoraException(Status.NO_RESOURCES,
            "queues of " + entries + " entries are too deep for " + attributes.name() + ": at most "
                + attributes.maxWorkRequests() / 3);
      }
      CompletionQueue made = device.device().createCompletionQueue(sends + entries, this::poll);
      completions = made;
      pair = own.createQueuePair(device.domain(),
          QueuePairConfig.rc(made, sends, entries).withRequests(maxPieces, 0));
      handler.onMade();
      made.requestNotify(false);
      PrivateData.Request request = new PrivateData.Request(PrivateData.FORMAT, parameters.queueId(), entries,
          entries - 1, 0);
      own.connect(new CmId.Parameters(request.encode(), Math.min(reads, attributes.maxReads()), 0));
    } catch (RemoraException e) {
      handler.onFailed(e.status(), e.getMessage());
    }
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    MemorySegment data = connection.privateData();
    if (data.byteSize() < PrivateData.BYTES) {
      handler.onFailed(Status.PROTOCOL_ERROR,
          "the controller accepts with " + data.byteSize() + " bytes of private data, not " + PrivateData.BYTES);
      return;
    }
    PrivateData.Accept accept = PrivateData.Accept.parse(data);
    int commands = parameters.entries() - 1;
    if (accept.format() != PrivateData.FORMAT) {
      handler.onFailed(Status.PROTOCOL_ERROR, "the controller accepts in format " + accept.format());
    } else if (accept.receives() < commands) {
      handler.onFailed(Status.NO_RESOURCES, "the controller has receives for " + accept.receives()
          + " commands, fewer than the " + commands + " of the queue");
    } else {
      handler.onReady();
    }
  }

  @Override
  public void onRejected(int reason, MemorySegment data) {
    String why = "reason " + reason;
    Status status = Status.DENIED;
    if (data.byteSize() >= PrivateData.REJECT_BYTES) {
      PrivateData.Reject reject = PrivateData.Reject.parse(data);
      RejectStatus known = RejectStatus.of(reject.status());
      why = known == null ? "status " + reject.status() : known.text();
      status = known == RejectStatus.NO_RESOURCES ? Status.NO_RESOURCES : Status.DENIED;
    }
    handler.onFailed(status, parameters.address() + " rejects queue " + parameters.queueId() + ": " + why);
  }

  @Override
  public void onFailed(Status reason, String text) {
    handler.onFailed(reason.isOk() ? Status.DISCONNECTED : reason,
        "no connection to " + parameters.address() + ": " + text);
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    handler.onFailed(reason.isOk() ? Status.DISCONNECTED : reason, reason.isOk()
        ? parameters.address() + " closed the connection"
        : "the connection to " + parameters.address() + " failed: " + text);
  }

  /** Posts {@code request}, which is {@code what} for people. */
  void post(SendRequest request, String what) {
    QueuePair to = pair;
    assert to != null;
    posted(to.postSend(request), what);
  }

  /** Posts a receive. */
  void post(ReceiveRequest request) {
    QueuePair to = pair;
    assert to != null;
    posted(to.postReceive(request), "a receive");
  }

  private void posted(Status status, String what) {
    if (!status.isOk()) {
      // Not from within the owner's call.
      device.loop()
          .defer(() -> handler.onFailed(Status.INTERNAL, what + " could not be posted: " + status.text()));
    }
  }

  private void poll() {
    CompletionQueue from = completions;
    boolean asked = false;
    for (int round = 0; round < POLLS_PER_TURN && from != null && !closed;) {
      WorkCompletions done = device.completions;
      int count = from.poll(done);
      if (count > 0) {
        round++;
        handler.onCompletions(done, count);
      } else if (asked) {
        return;
      } else {
        asked = true;
        from.requestNotify(false);
      }
    }
    if (!closed) {
      pollOn.arm(0);
    }
  }

  /** Ends the connection: the device works with nothing of it any more. */
  void close(boolean abruptly) {
    closed = true;
    CmId own = id;
    if (own != null && !abruptly) {
      own.disconnect();
    }
    QueuePair made = pair;
    if (made != null) {
      made.close();
    }
    if (own != null) {
      own.close();
    }
    CompletionQueue from = completions;
    if (from != null) {
      from.close();
    }
    pollOn.cancel();
  }
}
