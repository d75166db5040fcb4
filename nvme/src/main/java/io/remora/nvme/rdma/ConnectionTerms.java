package io.remora.nvme.rdma;

import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.verbs.CmRequest;
import java.lang.foreign.MemorySegment;

/**
 * What a host wants of a connection, checked (NVMe RDMA Transport 1.0, 3.2).
 *
 * @param queueId 0 for the admin queue
 * @param entries of the submission queue: as many commands may be under way, and so many receives the target has
 * @param reads how many reads the host serves at once, at least 1
 * @param serves how many reads the host would like to have served; it has no use for any
 */
record ConnectionTerms(int queueId, int entries, int reads, int serves) {
  /**
   * Reads a request.
   *
   * @throws Rejection with the status that the host is told
   */
  static ConnectionTerms of(CmRequest request, RdmaTargetOptions options, Target target) {
    TargetConfig config = target.config();
    MemorySegment data = request.privateData();
    if (data.byteSize() < PrivateData.BYTES) {
      throw new Rejection(RejectStatus.INVALID_LENGTH, data.byteSize() + " bytes, not " + PrivateData.BYTES);
    }
    PrivateData.Request asked = PrivateData.Request.parse(data);
    int entries = asked.lastEntry() + 1;
    int most = Math.min(options.queueEntries(), config.queueEntries());
    if (asked.format() != PrivateData.FORMAT) {
      throw new Rejection(RejectStatus.INVALID_FORMAT, "format " + asked.format());
    }
    if (asked.queueId() > config.ioQueues()) {
      throw new Rejection(RejectStatus.INVALID_QUEUE, "queue " + asked.queueId() + " of " + config.ioQueues());
    }
    if (entries < 2 || entries > most) {
      throw new Rejection(RejectStatus.INVALID_SEND_SIZE, entries + " entries: 2 to " + most);
    }
    if (asked.receives() < asked.lastEntry()) {
      throw new Rejection(RejectStatus.INVALID_RECEIVE_SIZE,
          asked.receives() + " receives for the answers to " + asked.lastEntry() + " commands");
    }
    if (asked.queueId() != 0 && asked.cntlid() != 0 && !target.hasController(asked.cntlid())) {
      throw new Rejection(RejectStatus.INVALID_CONTROLLER, "there is no controller " + asked.cntlid());
    }
    if (request.initiatorDepth() == 0) {
      throw new Rejection(RejectStatus.INVALID_RESPONDER_RESOURCES,
          "what is to be written can only be read from the host");
    }
    return new ConnectionTerms(asked.queueId(), entries, request.initiatorDepth(), request.responderResources());
  }
}
