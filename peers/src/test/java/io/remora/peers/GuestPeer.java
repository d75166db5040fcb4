package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The harness itself: a question goes out and its answer comes in, and a failed or missing check fails the test. */
@NeedsGuest
class GuestPeer {
  private static final Map<String, Guest.Answer> ANSWERS = Map.of("echo", words -> String.join("-", words));

  @Test
  void passesWhenEveryCheckDoes() {
    try (Guest guest = new Guest(config("self-ok"), "self.sh", Map.of("WRONG", "no"), ANSWERS)) {
      guest.finish(1);
      assertThatThrownBy(() -> guest.finish(2)).isInstanceOf(AssertionError.class);
    }
  }

  @Test
  void failsWhenACheckFails() {
    try (Guest guest = new Guest(config("self-wrong"), "self.sh", Map.of("WRONG", "yes"), ANSWERS)) {
      assertThatThrownBy(() -> guest.finish(2)).isInstanceOf(AssertionError.class)
          .hasMessageContaining("FAIL a failing command fails the check");
    }
  }

  private static Guest.Config config(String name) {
    return new Guest.Config(name, GuestTool.DEFAULT_KERNEL, List.of(), Duration.ofMinutes(1), false);
  }
}
