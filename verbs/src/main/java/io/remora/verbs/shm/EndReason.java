package io.remora.verbs.shm;

/** Why an end has ended a connection. */
enum EndReason {
  /** It did not say: the process has died. */
  DIED(0, "the other process has died"),
  /** In order. */
  ORDERLY(1, "disconnected by the other end"),
  /** A request of its own, or a receive, has failed, or its user has given up the queue pair. */
  FAILED(2, "the other end's queue pair has failed"),
  /** It has tried what the keys do not permit, and says so. */
  ACCESS(3, "refused the peer's request: remote access error"),
  /** It has tried what makes no sense, and says so. */
  REQUEST(4, "refused the peer's request: remote invalid request"),
  /** It holds this end to break the protocol. */
  PROTOCOL(5, "the other end says that this end breaks the protocol");

  private final int number;
  private final String text;

  EndReason(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** What it is between processes. */
  int number() {
    return number;
  }

  /** As the one that hears it says it. */
  String text() {
    return text;
  }

  static EndReason of(long number) {
    for (EndReason reason : values()) {
      if (reason.number == number) {
        return reason;
      }
    }
    return FAILED;
  }
}
