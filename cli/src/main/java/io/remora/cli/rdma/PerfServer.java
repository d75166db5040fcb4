package io.remora.cli.rdma;

import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The end that is measured against: lends memory, and sends messages back. Belongs to its context's loop. */
public final class PerfServer implements AutoCloseable {
  /** Connections at once. */
  static final int MAX_SESSIONS = 16;
  /** What all connections together may have of memory, in bytes. */
  static final long MAX_BYTES = 1L << 30;

  private final Context context;
  private final Consumer<String> log;
  private final CmListener listener;
  private final Set<Session> sessions = new LinkedHashSet<>();
  private long bytes;

  /**
   * Listens at {@code address}; on the context's loop.
   *
   * @param log hears of connections, for people
   */
  public PerfServer(Context context, InetSocketAddress address, Consumer<String> log) {
    this.context = context;
    this.log = log;
    this.listener = context.connectionManager().listen(address, QueuePairType.RC, this::onRequest);
  }

  /** Where it listens. */
  public InetSocketAddress localAddress() {
    return listener.localAddress();
  }

  /** How to say no: by the request, and once that is attached by its id. */
  private static final class Refusal {
    Consumer<MemorySegment> way;

    Refusal(Consumer<MemorySegment> way) {
      this.way = way;
    }
  }

  private void onRequest(CmRequest request) {
    Deque<AutoCloseable> opened = new ArrayDeque<>();
    Refusal refusal = new Refusal(request::reject);
    try {
      if (sessions.size() >= MAX_SESSIONS) {
        throw new RemoraException(Status.NO_RESOURCES, MAX_SESSIONS + " measurements run already");
      }
      PerfTerms terms = PerfTerms.decode(request.privateData());
      if (terms.memoryBytes() > MAX_BYTES - bytes) {
        throw new RemoraException(Status.NO_RESOURCES, "measurements hold " + (bytes >> 20) + " of " + (MAX_BYTES >> 20)
            + " MiB, too much for " + (terms.memoryBytes() >> 20) + " more");
      }
      sessions.add(new Session(terms, request, opened, refusal));
      bytes += terms.memoryBytes();
      log.accept(Addresses.format(request.remoteAddress()) + ": " + terms.operation().text() + ", " + terms.bytes()
          + " bytes, depth "
          + terms.depth());
    } catch (RemoraException e) {
      log.accept(Addresses.format(request.remoteAddress()) + ": refused, " + e.getMessage());
      byte[] why = e.getMessage().getBytes(StandardCharsets.UTF_8);
      refusal.way.accept(MemorySegment.ofArray(why).asSlice(0, Math.min(why.length, 128)));
      closeAll(opened);
    }
  }

  /** From the leaves up: what was opened last stands first. */
  private static void closeAll(Deque<AutoCloseable> opened) {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Exception e) {
        throw new RemoraException(Status.INTERNAL, "closing a measurement: " + e.getMessage(), e);
      }
    }
  }

  @Override
  public void close() {
    listener.close();
    List.copyOf(sessions).forEach(Session::close);
  }

  /** One connection. */
  private final class Session implements CmId.Handler {
    private final PerfTerms terms;
    private final CmRequest request;
    private final Deque<AutoCloseable> opened;
    private final CompletionQueue completions;
    private final MemoryRegion region;
    private final QueuePair queuePair;
    private final WorkCompletions polled = new WorkCompletions(64);
    private final ReceiveRequest receive = new ReceiveRequest();
    private final SendRequest answer = new SendRequest().signalled(false);
    private int unsignalled;
    private boolean closed;

    Session(PerfTerms terms, CmRequest request, Deque<AutoCloseable> opened,
        Refusal refusal) {
      this.terms = terms;
      this.request = request;
      this.opened = opened;
      ProtectionDomain domain = context.allocateProtectionDomain();
      opened.push(domain);
      this.completions = context.createCompletionQueue(4 * terms.depth() + 16, this::onEvent);
      opened.push(completions);
      Arena arena = context.loop().newArena();
      opened.push(arena);
      MemorySegment memory = context.allocate(arena, terms.memoryBytes());
      boolean atomics = context.attributes().can(Capability.ATOMICS);
      this.region = domain.register(memory,
          Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ | (atomics ? Access.REMOTE_ATOMIC : 0));
      opened.push(region);
      CmId id = request.attach(context, this);
      opened.push(id);
      refusal.way = id::reject;
      this.queuePair = id.createQueuePair(domain,
          QueuePairConfig.rc(completions, 2 * terms.depth() + 8, 2 * terms.depth()));
      opened.push(queuePair);
      if (terms.operation() == PerfTerms.Operation.SEND) {
        for (int i = 0; i < terms.depth(); i++) {
          post(i);
        }
      }
      completions.requestNotify(false);
      PerfTerms.Memory lent = new PerfTerms.Memory(region.address(), region.remoteKey(), terms.memoryBytes());
      int reads = Math.min(request.responderResources(), context.attributes().maxReads());
      id.accept(new CmId.Parameters(lent.encode(), reads, 0));
    }

    private void post(int slot) {
      queuePair.postReceive(receive.id(slot).piece(region, (long) slot * terms.stride(), terms.bytes()));
    }

    private void onEvent() {
      if (closed) {
        return;
      }
      completions.requestNotify(false);
      while (completions.poll(polled) > 0) {
        for (int i = 0; i < polled.count(); i++) {
          if (polled.ok(i) && polled.opcode(i) == io.remora.verbs.CompletionOpcode.RECEIVE) {
            echo((int) polled.id(i));
          }
        }
      }
    }

    private void echo(int slot) {
      // The receive's memory goes back first: sends are in order, so it is sent before the peer can fill it again.
      unsignalled++;
      boolean signal = unsignalled >= terms.depth();
      if (signal) {
        unsignalled = 0;
      }
      post(slot);
      queuePair.postSend(
          answer.id(slot).signalled(signal).piece(region, (long) slot * terms.stride(), terms.bytes()).send());
    }

    @Override
    public void onEstablished(CmId.Established connection) {}

    @Override
    public void onFailed(Status reason, String text) {
      log.accept(Addresses.format(request.remoteAddress()) + ": " + text);
      closeLater();
    }

    @Override
    public void onDisconnected(Status reason, String text) {
      closeLater();
    }

    private void closeLater() {
      context.loop().defer(this::close);
    }

    private void close() {
      if (!closed) {
        closed = true;
        sessions.remove(this);
        bytes -= terms.memoryBytes();
        closeAll(opened);
      }
    }
  }

  /** For people. */
  static @Nullable String text(MemorySegment rejection) {
    byte[] bytes = rejection.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return end == 0 ? null : new String(bytes, 0, end, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
  }
}
