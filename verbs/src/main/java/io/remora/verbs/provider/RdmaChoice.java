package io.remora.verbs.provider;

import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a policy has come to on this machine.
 *
 * @param provider who carries RDMA; null: nobody, TCP only
 * @param device its device; null with the provider
 * @param warning why it is less than the policy prefers, and what to do; null when it is not. To be shown in the status as long as it holds
 * @param passedOver what was tried before and why it was not taken, one line each
 */
public record RdmaChoice(@Nullable Provider provider, @Nullable DeviceInfo device, @Nullable String warning,
    List<String> passedOver) {
  /** Keeps a copy of the list. */
  public RdmaChoice {
    passedOver = List.copyOf(passedOver);
  }

  /** Whether there is RDMA. */
  public boolean rdma() {
    return provider != null;
  }
}
