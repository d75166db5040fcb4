package io.remora.verbs.tool;

import io.remora.verbs.tool.PerftestJob.Operation;
import java.util.EnumSet;
import java.util.List;

/** What happens on the first connection of a run, in this order: a message of the client's and one of the same length of the server's; or something elsewhere. */
enum PerftestStep {
  /** Of the program, as text. */
  VERSION(16),
  /** The page size. */
  CYCLE(4),
  /** The length of a cache line. */
  LINE(4),
  /** The number of a path MTU as text; the connection manager's counts. */
  MTU(2),
  /** The server will listen for the second connection now. Without content, as {@link #CONNECTED}. */
  READY(PerftestMessages.MAX_BYTES),
  /** The client makes the second connection. */
  CONNECT(0),
  /** It stands. */
  CONNECTED(PerftestMessages.MAX_BYTES),
  /** Where the memory is: the server's buffer; for messages without receiver-not-ready the client's counter of credits. */
  MEMORY(PerftestMessages.MAX_BYTES),
  /** The same again. */
  MEMORY_AGAIN(PerftestMessages.MAX_BYTES),
  /** And again. */
  MEMORY_ONCE_MORE(PerftestMessages.MAX_BYTES),
  /** Receives are posted. Only when messages are sent. */
  START(PerftestMessages.MAX_BYTES),
  /** The operations, on the second connection. */
  RUN(0),
  /** The client is done. Not when messages are sent: the server counts them. Nor are the reports, up to {@link #RATE}. */
  DONE(PerftestMessages.MAX_BYTES),
  /** Bytes of an operation. The server's word means nothing, here and in the next four. */
  SIZE(8),
  /** How many there were. */
  ITERATIONS(8),
  /** The best MiB/s, a double. */
  PEAK(8),
  /** MiB/s on average. */
  AVERAGE(8),
  /** Millions of operations a second. */
  RATE(8),
  /** The end. */
  CLOSE(PerftestMessages.MAX_BYTES);

  private final int bytes;

  PerftestStep(int bytes) {
    this.bytes = bytes;
  }

  /** The length of the message; 0: there is none. */
  int bytes() {
    return bytes;
  }

  /** Those of a run. */
  static List<PerftestStep> of(Operation operation) {
    EnumSet<PerftestStep> steps = EnumSet.allOf(PerftestStep.class);
    if (operation == Operation.SEND) {
      steps.removeAll(EnumSet.range(DONE, RATE));
    } else {
      steps.remove(START);
    }
    return List.copyOf(steps);
  }
}
