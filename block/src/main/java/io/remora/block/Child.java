package io.remora.block;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request of a channel's own in the place of one of its caller's, for layers that must see the completion. Lives in the free
 * list of its channel.
 */
final class Child implements IoRequest.Completion {
  /** Hears that the lower device is done. */
  interface Done {
    void done(Child child);
  }

  final IoRequest io = new IoRequest(this);
  private final Done done;
  private @Nullable IoRequest parent;
  @Nullable
  Child next;
  /** For the layer: when to complete. */
  long dueNs;
  /** For the layer: how to complete; OK leaves it to the device below. */
  Status verdict = Status.OK;

  Child(Done done) {
    this.done = done;
  }

  /** Becomes a copy of {@code request}. */
  void begin(IoRequest request) {
    Check.that(parent == null, "child in use");
    parent = request;
    io.prepare(request.op, request.offset, request.length);
    io.fua = request.fua;
    if (request.hasData()) {
      io.sgl.addRange(request.sgl, 0, request.length);
    }
  }

  /** Lets go of the request that it stood for, and returns it. */
  IoRequest end() {
    IoRequest request = Objects.requireNonNull(parent);
    parent = null;
    return request;
  }

  @Override
  public void completed(IoRequest request) {
    done.done(this);
  }
}
