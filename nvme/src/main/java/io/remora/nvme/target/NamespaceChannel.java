package io.remora.nvme.target;

import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.util.ArrayDeque;

/** One namespace as one loop uses it: the channel, what is in flight, counters. Belongs to that loop. */
final class NamespaceChannel {
  final Namespace namespace;
  final BlockDevice device;
  final BlockChannel channel;
  final int blockShift;
  final Counters counters;
  final WriteGate gate;
  private final ArrayDeque<Command> heldUp = new ArrayDeque<>();
  private int inFlight;
  private boolean closing;
  private Runnable released = () -> {};

  NamespaceChannel(Namespace namespace, BlockChannel channel) {
    this.namespace = namespace;
    this.device = namespace.device();
    this.channel = channel;
    this.blockShift = namespace.blockShift();
    this.counters = namespace.newCounters();
    this.gate = namespace.gate();
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

  /** Keeps a command that {@link #begin} was called for until the gate may be open. */
  void holdUp(Command c) {
    heldUp.add(c);
  }

  /** The gate is another now: each command that was held up tries again. */
  void resume() {
    for (int count = heldUp.size(); count > 0; count--) {
      Command c = heldUp.remove();
      c.set.resumed(c);
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
