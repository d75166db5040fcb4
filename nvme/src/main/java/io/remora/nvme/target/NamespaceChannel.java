package io.remora.nvme.target;

import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;

/** One namespace as one loop uses it: the channel, what is in flight, counters. Belongs to that loop. */
final class NamespaceChannel {
  final Namespace namespace;
  final BlockDevice device;
  final BlockChannel channel;
  final int blockShift;
  final Counters counters;
  private int inFlight;
  private boolean closing;
  private Runnable released = () -> {};

  NamespaceChannel(Namespace namespace, BlockChannel channel) {
    this.namespace = namespace;
    this.device = namespace.device();
    this.channel = channel;
    this.blockShift = namespace.blockShift();
    this.counters = namespace.newCounters();
  }

  /** A command uses it from here to {@link #end}. */
  void begin() {
    inFlight++;
  }

  void end() {
    inFlight--;
    if (closing && inFlight == 0) {
      finish();
    }
  }

  /** Takes no more commands; runs {@code then} once those in flight have ended. */
  void close(Runnable then) {
    closing = true;
    released = then;
    if (inFlight == 0) {
      finish();
    }
  }

  private void finish() {
    closing = false;
    channel.close();
    released.run();
  }
}
