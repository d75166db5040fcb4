package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where a seccomp filter, as container engines install one, does not permit io_uring. */
class NoRingTest {
  private static final int PR_SET_SECCOMP = 22;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int MODE_FILTER = 2;

  @ParameterizedTest
  @CsvSource({"1, not permitted here", "38, this kernel has no io_uring"})
  void autoTakesEpollAndSaysWhy(int errno, String reason) {
    // A filter holds for a thread and those it starts, and is never taken off again.
    CompletableFuture<Void> over = new CompletableFuture<>();
    Thread.ofPlatform().start(() -> {
      try {
        refuseRings(errno);
        assertThat(Loops.describe()).startsWith("epoll").contains(reason);
        assertThatThrownBy(
            () -> Loops.start(new Loops.Config("refused", 1, Loops.Backend.IO_URING, 0, List.of())))
            .isInstanceOfSatisfying(RemoraException.class,
                e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED))
            .hasMessageContaining("refused-0").hasMessageContaining(reason);
        over.complete(null);
      } catch (Throwable e) {
        over.completeExceptionally(e);
      }
    });
    over.join();
  }

  /** Makes io_uring_setup fail with {@code errno} for the calling thread. */
  @SuppressWarnings("restricted")
  private static void refuseRings(int errno) throws Throwable {
    MethodHandle prctl = Linker.nativeLinker().downcallHandle(
        Linker.nativeLinker().defaultLookup().findOrThrow("prctl"),
        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
        Linker.Option.firstVariadicArg(1));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment filter = arena.allocate(4 * 8, 8);
      // Load the number of the call; if it is 425 go on, else skip one; return the error; allow.
      instruction(filter, 0, 0x20, 0, 0, 0);
      instruction(filter, 1, 0x15, 0, 1, Abi.SYS_IO_URING_SETUP);
      instruction(filter, 2, 0x06, 0, 0, 0x00050000 | errno);
      instruction(filter, 3, 0x06, 0, 0, 0x7fff0000);
      MemorySegment program = arena.allocate(16, 8);
      program.set(JAVA_SHORT, 0, (short) 4);
      program.set(JAVA_LONG, 8, filter.address());
      assertThat((int) prctl.invokeExact(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L)).isZero();
      assertThat((int) prctl.invokeExact(PR_SET_SECCOMP, (long) MODE_FILTER, program.address(), 0L, 0L)).isZero();
    }
  }

  private static void instruction(MemorySegment filter, int index, int code, int ifTrue, int ifFalse, int operand) {
    filter.set(JAVA_SHORT, index * 8L, (short) code);
    filter.set(JAVA_BYTE, index * 8L + 2, (byte) ifTrue);
    filter.set(JAVA_BYTE, index * 8L + 3, (byte) ifFalse);
    filter.set(JAVA_INT, index * 8L + 4, operand);
  }
}
