package io.remora.block;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;

/**
 * What channels have in common: the checks, the end after {@link #close}, and completions outside of {@code submit}. Belongs
 * to its loop.
 */
public abstract class CheckedChannel implements BlockChannel {
  private final BlockDevice device;
  private final Loop loop;
  private final CompletionQueue completions;
  private boolean closed;

  /** A channel of {@code device} on {@code loop}. */
  protected CheckedChannel(BlockDevice device, Loop loop) {
    this.device = device;
    this.loop = loop;
    this.completions = new CompletionQueue(loop);
  }

  @Override
  public final BlockDevice device() {
    return device;
  }

  @Override
  public final Loop loop() {
    return loop;
  }

  @Override
  public final void submit(IoRequest request) {
    assert loop.inLoop() : "channel of " + loop.name() + " used elsewhere";
    request.begin();
    Status status = closed ? Status.ABORTED : RequestCheck.of(request, device);
    if (!status.isOk() || (request.length == 0 && request.op != IoRequest.Op.FLUSH)) {
      completions.add(request, status);
    } else {
      execute(request);
    }
  }

  /** Does {@code request}, which has begun and fits the device. Ends it with {@link #finish}, or completes it in another turn. */
  protected abstract void execute(IoRequest request);

  /** Completes {@code request} later in this turn. */
  protected final void finish(IoRequest request, Status status) {
    completions.add(request, status);
  }

  /** Whether it has been closed. */
  protected final boolean closed() {
    return closed;
  }

  /** Frees what the channel holds; called once. Requests may still be in flight. */
  protected void onClose() {}

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      onClose();
    }
  }
}
