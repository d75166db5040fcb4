package io.remora.verbs.tool;

import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The server's end of the second connection. Belongs to its context's loop. */
abstract class PerftestTarget extends PerftestLink {
  private final BiConsumer<Status, String> whenEnded;

  /**
   * Not connected.
   *
   * @param whenEnded hears of its end, once; its memory is still there then
   */
  PerftestTarget(Context context, int sends, int receives, BiConsumer<Status, String> whenEnded) {
    super(context, sends, receives);
    this.whenEnded = whenEnded;
  }

  @Override
  public void onEstablished(CmId.Established connection) {}

  @Override
  void onEnd(Status reason, String text) {
    whenEnded.accept(reason, text);
  }

  /** What the client has to know of this end's memory. */
  abstract PerftestMessages.Memory offered();

  /**
   * The client may begin. Throws {@link io.remora.base.RemoraException} when what it offers makes no sense.
   *
   * @param client what it offers
   * @param whenDone runs when this end has seen everything that it can see, at once if that is nothing
   */
  abstract void begin(PerftestMessages.Memory client, Runnable whenDone);

  /** What this end says of the run, {@code said} being what the client does. */
  PerftestReport report(PerftestReport said) {
    return said;
  }

  /** What is wrong with the memory after {@code iterations} of the client's, or null. */
  @Nullable
  String check(long iterations) {
    return null;
  }
}
