package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Checks how something is refused. */
final class Refusal {
  private Refusal() {}

  /** Unsupported: names the provider and the operation. */
  static void of(ThrowingCallable call, Fabric fabric, String operation) {
    assertThatThrownBy(call).isInstanceOfSatisfying(RemoraException.class, e -> {
      assertThat(e.status()).isEqualTo(Status.UNSUPPORTED);
      assertThat(e).hasMessageContaining(fabric.provider().name()).hasMessageContaining(operation);
    });
  }

  /** Refused with that status and text. */
  static void with(Status status, String text, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(RemoraException.class, e -> {
      assertThat(e.status()).as(e.getMessage()).isEqualTo(status);
      assertThat(e).hasMessageContaining(text);
    });
  }
}
