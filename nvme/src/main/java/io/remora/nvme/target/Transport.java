package io.remora.nvme.target;

import java.net.InetSocketAddress;

/**
 * What a queue pair needs of the connection that carries it; all calls on the connection's loop. The transport brings commands by
 * {@link QueuePair#submit} and moves data; it does not look into commands.
 */
public interface Transport {
  /** Whether an SGL of {@code type}, other than one for data in the capsule, can carry data here. */
  boolean acceptsSgl(int type);

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
