package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The admin queue of one association: control commands, each with a future. Lives on the controller's first loop; futures are
 * completed there. Used once: after a failure or {@link #close} it stays closed.
 *
 * <p>At most {@link #SLOTS} commands are in flight, {@link #MAX_WAITING} wait.
 */
final class AdminQueue implements HostLink.Events {
  /** Entries of the queue as Linux has them: 32 with one to spare. */
  static final int ENTRIES = 32;
  private static final int SLOTS = ENTRIES - 1;
  private static final int MAX_WAITING = 256;
  private static final int TICKS = 4;

  /** What a command was answered. */
  record Completion(long result, int sqhd) {}

  /** Hears that the queue has failed by itself, after all its futures have. */
  interface Owner {
    void onAdminFailed(Status reason, String text);
  }

  /** A command on its way. */
  static final class Answer {
    private final AdminCommand command;
    private final CompletableFuture<Completion> future = new CompletableFuture<>();

    Answer(AdminCommand command) {
      this.command = command;
    }
  }

  private final Loop loop;
  private final HostOptions options;
  private final Owner owner;
  private final HostCommand[] commands = new HostCommand[SLOTS];
  private final ArrayDeque<HostCommand> free = new ArrayDeque<>();
  private final ArrayDeque<Answer> waiting = new ArrayDeque<>();
  private final CompletableFuture<Void> opened = new CompletableFuture<>();
  private final Timer timer;
  private @Nullable HostLink link;
  private boolean ready;
  private boolean closed;
  private int tick;

  AdminQueue(Loop loop, HostOptions options, Owner owner) {
    this.loop = loop;
    this.options = options;
    this.owner = owner;
    this.timer = loop.timer(this::onTick);
    for (int i = 0; i < SLOTS; i++) {
      commands[i] = new HostCommand(i, MemorySegment.NULL);
      free.add(commands[i]);
    }
  }

  /** Connects; the future is done when commands may be sent. */
  CompletableFuture<Void> open(HostTransport transport) {
    timer.arm(options.times().connectNs() / TICKS);
    link = transport.connect(loop,
        new HostTransport.Link(options.address(), 0, ENTRIES, SLOTS, transport.adminCapsuleBytes(),
            options.headerDigest(), options.dataDigest()),
        this);
    return opened;
  }

  /** Whether commands can be sent. */
  boolean alive() {
    return ready && !closed;
  }

  /** Sends a command. The future fails with {@link RemoraException} for every answer but success. */
  CompletableFuture<Completion> submit(AdminCommand command) {
    Answer answer = new Answer(command);
    if (closed) {
      answer.future.completeExceptionally(new RemoraException(Status.DISCONNECTED, command.what() + ": not connected"));
    } else if (!free.isEmpty()) {
      send(answer);
    } else if (waiting.size() < MAX_WAITING) {
      waiting.add(answer);
    } else {
      answer.future.completeExceptionally(
          new RemoraException(Status.NO_RESOURCES, command.what() + ": too many admin commands wait"));
    }
    return answer.future;
  }

  /** Ends the connection; what is in flight fails. Idempotent. */
  void close() {
    close(Status.ABORTED, "the connection was closed");
  }

  /** As {@link #close()}, for a reason: commands in flight fail with it. */
  void close(Status reason, String text) {
    fail(reason, text);
  }

  @Override
  public void onReady() {
    ready = true;
    opened.complete(null);
  }

  @Override
  public @Nullable HostCommand command(int cid) {
    int slot = HostCommand.slotOf(cid);
    HostCommand command = slot < SLOTS ? commands[slot] : null;
    return command != null && command.inFlight && command.cid == cid ? command : null;
  }

  @Override
  public void onResponse(HostCommand command, long result, int sqhd, int status) {
    Answer answer = command.answer;
    assert answer != null;
    command.inFlight = false;
    command.release();
    free.add(command);
    Answer next = waiting.poll();
    if (next != null) {
      send(next);
    }
    if (NvmeStatus.isSuccess(status)) {
      answer.future.complete(new Completion(result, sqhd));
    } else {
      answer.future.completeExceptionally(failure(answer.command, status, result));
    }
  }

  @Override
  public void onFailed(Status reason, String text) {
    if (!closed) {
      fail(reason, text);
      owner.onAdminFailed(reason, text);
    }
  }

  static RemoraException failure(AdminCommand command, int status, long result) {
    return new RemoraException(NvmeStatus.toStatus(status),
        "%s: the controller answered status %xh%s (%s)%s".formatted(command.what(), NvmeStatus.code(status),
            (status & NvmeStatus.DNR) != 0 ? ", do not retry" : "", NvmeStatus.text(status),
            NvmeStatus.code(status) == NvmeStatus.CONNECT_INVALID_PARAMETERS
                ? ", at byte " + (result & 0xffff) + ((result & (1 << 16)) != 0 ? " of the data" : " of the command")
                : ""));
  }

  private void send(Answer answer) {
    HostCommand command = free.remove();
    answer.command.fill(command);
    command.answer = answer;
    command.inFlight = true;
    command.tick = tick;
    HostLink to = link;
    assert to != null;
    to.send(command);
  }

  private void onTick() {
    tick++;
    if (!ready && tick > TICKS) {
      onFailed(Status.TIMED_OUT, "no connection within " + options.times().connectNs() / 1_000_000 + " ms");
      return;
    }
    for (HostCommand command : commands) {
      Answer answer = command.answer;
      if (command.inFlight && answer != null && answer.command.timed() && tick - command.tick > TICKS) {
        onFailed(Status.TIMED_OUT,
            answer.command.what() + " was not answered within " + options.times().connectNs() / 1_000_000 + " ms");
        return;
      }
    }
    timer.arm(options.times().connectNs() / TICKS);
  }

  private void fail(Status reason, String text) {
    if (closed) {
      return;
    }
    closed = true;
    timer.cancel();
    if (link != null) {
      link.close(false);
    }
    RemoraException failure = new RemoraException(reason, text);
    opened.completeExceptionally(failure);
    for (HostCommand command : commands) {
      Answer answer = command.answer;
      if (command.inFlight && answer != null) {
        command.inFlight = false;
        command.release();
        answer.future.completeExceptionally(failure);
      }
    }
    while (!waiting.isEmpty()) {
      waiting.remove().future.completeExceptionally(failure);
    }
  }
}
