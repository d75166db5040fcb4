package io.remora.verbs;

import io.remora.base.Loop;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A device that is open on one loop ({@code ibv_context}). It and everything made of it belong to that loop.
 *
 * <p>Objects are closed from the leaves up: one with something open under it refuses ({@link Status#BUSY}, saying what). Closing twice does nothing.
 */
public interface Context extends AutoCloseable {
  /** Whose it is. */
  Loop loop();

  /** What the device offers. */
  DeviceAttributes attributes();

  /** A domain of isolation. */
  ProtectionDomain allocateProtectionDomain();

  /**
   * A completion queue.
   *
   * @param entries how many completions it must hold, 1 to {@link DeviceAttributes#maxCompletions}
   * @param onEvent runs on the loop after {@link CompletionQueue#requestNotify}; null: it is only polled
   */
  CompletionQueue createCompletionQueue(int entries, @Nullable Runnable onEvent);

  /** How connections are made. */
  ConnectionManager connectionManager();

  /** Who hears of asynchronous events, on the loop; one at a time, null for nobody. */
  void onAsyncEvent(@Nullable Consumer<AsyncEvent> listener);

  /**
   * Zeroed memory that can be registered here, aligned to pages, for as long as {@code arena} lives; close the arena on the loop, after the regions.
   *
   * @param bytes at least 1
   */
  MemorySegment allocate(Arena arena, long bytes);

  /** Closes the device. Refuses while something of it is open. Idempotent. */
  @Override
  void close();
}
