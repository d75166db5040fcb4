package io.remora.nvme.host;

import io.remora.base.Status;

/** What an I/O queue tells its controller. From the queue's loop. */
interface QueueOwner {
  /** The queue's connection has failed by itself; it waits to be taken down. */
  void onQueueFailed(int association, Status reason, String text);

  /** A command took too long: abort it. */
  void onSlowCommand(int association, int queueId, int cid);

  /** The controller has refused a command with a path error. */
  void onPathError(int association);

  /** Commands that may still be carried out by an old association were completed as failed. */
  void onUncertainFailed();
}
