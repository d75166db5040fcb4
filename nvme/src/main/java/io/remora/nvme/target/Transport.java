package io.remora.nvme.target;

import java.net.InetSocketAddress;

/**
 * What a queue pair needs of the connection that carries it; all calls on the connection's loop. The transport brings commands by
 * {@link QueuePair#submit} and moves data; it does not look into commands.
 */
public interface Transport {
  /**
   * What a connection carries; constant for its life.
   *
   * @param type what it is; the queues of a controller are all of one type
   * @param queueId the queue that it was made for; {@link #ANY_QUEUE}: not said
   * @param entries the most entries of its queue
   * @param ioEntries the most entries of an I/O queue, on connections of this type
   * @param ioCapsuleBytes the most data that an I/O command may bring in its capsule, on connections of this type, in bytes
   */
  record Limits(Port.TransportType type, int queueId, int entries, int ioEntries, int ioCapsuleBytes) {
    /** No queue was named when the connection was made. */
    public static final int ANY_QUEUE = -1;
  }

  /** What it carries. */
  Limits limits();

  /** Whether an SGL of {@code type}, other than one for data in the capsule, can carry data here. */
  boolean acceptsSgl(int type);

  /** Whether it moves the data of a command at once and between any memory: so that may be a device's own, see {@link io.remora.block.BlockChannel#lend}. Constant. */
  default boolean movesAtOnce() {
    return false;
  }

  /** Brings the host's data into {@link Command#data}, then calls {@link QueuePair#fetched}. */
  void fetch(Command command);

  /**
   * The command has ended. Sends {@link Command#data} when {@link Command#sendsData}, and the completion entry; then calls {@link
   * QueuePair#release}.
   */
  void respond(Command command);

  /** The command has ended without an answer: its slot is free. It carries no data. */
  void forget(Command command);

  /** Memory for in-capsule data has come: submit again what {@link QueuePair#submit} did not take. */
  void resume();

  /** The queue has {@code entries} entries from now on; called before the response to Connect. */
  void connected(int entries);

  /** Ends the connection, after what was responded has been sent. */
  void terminate(String why);

  /** Ends the connection at once, whatever is still to be sent. */
  void drop(String why);

  /** The queue pair is closed and no command is with a device: nothing of the connection is used any more. */
  void idle();

  /** This end. */
  InetSocketAddress localAddress();

  /** The other end. */
  InetSocketAddress remoteAddress();
}
