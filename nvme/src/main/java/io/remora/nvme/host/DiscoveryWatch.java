package io.remora.nvme.host;

import io.remora.base.Backoff;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stays connected to a discovery controller and reads its log whenever it says that it has changed (persistent discovery, NVMe-oF
 * 1.1, 5.4): a controller that does not tell is asked from time to time. Connects again, with growing delays, for as long as it is not closed.
 * Belongs to its loop.
 */
public final class DiscoveryWatch implements HostEvents.Handler {
  /** Hears what there is. Called on the loop. */
  public interface Listener {
    /** The log, after it was read: at the beginning, and each time that it may have changed. */
    void onEntries(List<DiscoveryEntry> entries);

    /** There is no connection now; what was said before is all that is known. */
    default void onLost(Failure why) {}
  }

  private static final long POLL_NS = TimeUnit.SECONDS.toNanos(30);

  private final HostTransport transport;
  private final Loop loop;
  private final HostOptions options;
  private final HostIdentity identity;
  private final Listener listener;
  private final HostEvents events;
  private final Backoff backoff;
  private final Timer poll;
  private @Nullable Association association;
  private int associations;
  private boolean reading;
  private boolean again;
  private boolean closed;

  private DiscoveryWatch(HostTransport transport, Loop loop, HostOptions options, Listener listener) {
    this.transport = transport;
    this.loop = loop;
    this.options = options.withSubsystem(HostOptions.DISCOVERY_NQN);
    this.identity = HostIdentity.of(options, loop);
    this.listener = listener;
    this.events = new HostEvents(loop, options.times(), this);
    this.backoff = options.times().backoff(loop, this::connect);
    this.poll = loop.timer(this::read);
  }

  /**
   * Watches the discovery controller at {@code options.address()}; the subsystem and queues in {@code options} mean nothing here. On
   * the loop's thread.
   */
  public static DiscoveryWatch start(HostTransport transport, Loop loop, HostOptions options, Listener listener) {
    DiscoveryWatch watch = new DiscoveryWatch(transport, loop, options, listener);
    watch.connect();
    return watch;
  }

  /** Ends it. From any thread; done on the loop. */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      closed = true;
      backoff.cancel();
      leave();
      done.complete(null);
    });
    return done;
  }

  private void connect() {
    associations++;
    int number = associations;
    Association next = new Association(number, loop, options, identity,
        (reason, text) -> onFailed(number, new Failure(reason, text, new IllegalStateException(text))));
    association = next;
    next.bringUp(transport).whenComplete((v, e) -> {
      if (e != null) {
        onFailed(number, Failure.of(e));
      } else if (association == next) {
        events.start(next);
        read();
      }
    });
  }

  private void onFailed(int number, Failure why) {
    Association current = association;
    if (current != null && current.number() == number) {
      leave();
      backoff.next();
      listener.onLost(why);
    }
  }

  private void leave() {
    Association current = association;
    association = null;
    reading = false;
    events.stop();
    poll.cancel();
    if (current != null) {
      current.admin().close();
    }
  }

  private void read() {
    Association current = association;
    if (current == null || closed) {
      return;
    }
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    again = false;
    DiscoveryClient.log(current).whenComplete((entries, e) -> {
      if (association != current) {
        return;
      }
      reading = false;
      if (e != null) {
        onFailed(current.number(), Failure.of(e));
        return;
      }
      backoff.reset();
      if (again) {
        read();
        return;
      }
      if ((current.info().events() & ControllerInfo.EVENT_DISCOVERY) == 0) {
        poll.arm(POLL_NS);
      }
      listener.onEntries(entries);
    });
  }

  @Override
  public void onKeepAliveMissed(Association of, String text) {
    onFailed(of.number(), new Failure(Status.TIMED_OUT, text, new IllegalStateException(text)));
  }

  @Override
  public void onDiscovery(Association of) {
    read();
  }
}
