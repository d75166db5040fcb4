package io.remora.engine;

import io.remora.base.Check;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;

/** The names of pools and volumes, and the NVMe names that follow from a volume's UUID. */
public final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final Pattern UUID_TEXT = Pattern
      .compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  private static final String NQN_PREFIX = "nqn.2026-01.io.remora:";
  private static final int SERIAL_LENGTH = 20;

  private Names() {}

  /** Whether {@code name} can name a pool or a volume. */
  static boolean valid(String name) {
    return NAME.matcher(name).matches() && !UUID_TEXT.matcher(name).matches();
  }

  /** Gives {@code name} back, or throws when it cannot name {@code what}. */
  static String check(String what, String name) {
    Check.argument(valid(name),
        "'%s' cannot name a %s: 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit, and no UUID",
        name,
        what);
    return name;
  }

  /** The NQN under which a volume is published: the same on whatever node it is. */
  public static String nqn(UUID volume) {
    return NQN_PREFIX + volume;
  }

  /** The serial number that hosts see: the first 20 digits of the volume's UUID. */
  static String serial(UUID volume) {
    return volume.toString().replace("-", "").toUpperCase(Locale.ROOT).substring(0, SERIAL_LENGTH);
  }
}
