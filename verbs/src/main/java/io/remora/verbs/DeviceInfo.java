package io.remora.verbs;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A device of a provider, for choosing among them.
 *
 * @param provider whose it is
 * @param name its name, unique with its provider
 * @param fabric what it speaks, for people: {@code InfiniBand}, {@code RoCEv2}, {@code iWARP}, {@code shared memory}
 * @param networkInterface the interface that it belongs to; null when it has none
 * @param addresses where its connections can be made from and to; empty: wherever this machine can
 * @param unusable why it cannot be used here and what to do about it; null when it can
 */
public record DeviceInfo(String provider, String name, String fabric, @Nullable String networkInterface,
    List<InetAddress> addresses, @Nullable String unusable) {
  /** Keeps a copy of the list. */
  public DeviceInfo {
    addresses = List.copyOf(addresses);
  }

  /** Whether it can be opened. */
  public boolean usable() {
    return unusable == null;
  }
}
