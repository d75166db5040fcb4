package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.u16;
import static io.remora.nvme.host.ControllerInfo.u64;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Asks a discovery controller which subsystems there are (log page 70h). Lives on one loop; one connection per question.
 *
 * <p>The log is read header first, then the entries, then the header again: when its generation has changed in between, all over.
 */
public final class DiscoveryClient {
  private static final int HEADER_BYTES = 1024;
  private static final int ENTRIES_PER_READ = 4;
  private static final int MAX_ENTRIES = 4096;
  private static final int MAX_ROUNDS = 10;

  private final Association association;
  private final MemorySegment header;
  private final MemorySegment entries;
  private final List<DiscoveryEntry> found = new ArrayList<>();

  private DiscoveryClient(Association association) {
    this.association = association;
    this.header = association.allocate(HEADER_BYTES);
    this.entries = association.allocate((long) ENTRIES_PER_READ * DiscoveryEntry.BYTES);
  }

  /**
   * Reads the log page of the discovery controller at {@code options.address()}; the subsystem and queues in {@code options} mean
   * nothing here. The future is done on {@code loop}, with the connection closed.
   */
  public static CompletableFuture<List<DiscoveryEntry>> read(HostTransport transport, Loop loop, HostOptions options) {
    HostOptions ours = options.withSubsystem(HostOptions.DISCOVERY_NQN).withTimes(options.times().withKeepAlive(0));
    CompletableFuture<List<DiscoveryEntry>> result = new CompletableFuture<>();
    loop.execute(() -> {
      Association association = new Association(1, loop, ours, HostIdentity.of(ours, loop), (reason, text) -> {});
      association.bringUp(transport).thenCompose(v -> log(association))
          .whenComplete((list, failure) -> {
            association.admin().close();
            if (failure == null) {
              result.complete(list);
            } else {
              result.completeExceptionally(explained(Failure.of(failure), ours));
            }
          });
    });
    return result;
  }

  /** Reads the log of a discovery controller that is connected. */
  static CompletableFuture<List<DiscoveryEntry>> log(Association association) {
    return new DiscoveryClient(association).readAll(0);
  }

  private static RemoraException explained(Failure failure, HostOptions options) {
    return new RemoraException(failure.status(),
        "cannot read the discovery log of " + options.address() + ": " + failure.text(), failure.cause());
  }

  private CompletableFuture<List<DiscoveryEntry>> readAll(int round) {
    found.clear();
    return readHeader().thenCompose(before -> {
      long count = u64(header, 8);
      if (u16(header, 16) != 0 || count < 0 || count > MAX_ENTRIES) {
        throw new RemoraException(Status.PROTOCOL_ERROR,
            "a log of format " + u16(header, 16) + " with " + Long.toUnsignedString(count) + " entries");
      }
      return readEntries((int) count).thenCompose(v -> readHeader()).thenCompose(after -> {
        if (after.equals(before)) {
          return CompletableFuture.completedFuture(List.copyOf(found));
        }
        if (round >= MAX_ROUNDS) {
          throw new RemoraException(Status.BUSY, "the log changed each of " + MAX_ROUNDS + " times it was read");
        }
        return readAll(round + 1);
      });
    });
  }

  /** Gives the generation. */
  private CompletableFuture<Long> readHeader() {
    return association.admin().submit(AdminCommand.log(AdminCommand.LOG_DISCOVERY, 0, header))
        .thenApply(done -> u64(header, 0));
  }

  private CompletableFuture<Void> readEntries(int count) {
    int from = found.size();
    if (from == count) {
      return CompletableFuture.completedFuture(null);
    }
    int now = Math.min(ENTRIES_PER_READ, count - from);
    MemorySegment part = entries.asSlice(0, (long) now * DiscoveryEntry.BYTES);
    long offset = HEADER_BYTES + (long) from * DiscoveryEntry.BYTES;
    return association.admin().submit(AdminCommand.log(AdminCommand.LOG_DISCOVERY, offset, part)).thenCompose(done -> {
      for (int i = 0; i < now; i++) {
        found.add(DiscoveryEntry.parse(part, (long) i * DiscoveryEntry.BYTES));
      }
      return readEntries(count);
    });
  }
}
