package io.remora.cli.terminal;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes in bytes as people write them: {@code 4k}, {@code 64MiB}, {@code 10g}. All units are powers of 1024, as in fio. */
public final class Sizes {
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,19})([kmgtpKMGTP]?)(?:[iI]?[bB])?");
  private static final String UNITS = "KMGTP";

  private Sizes() {}

  /** Lets picocli read a size. */
  public static final class Converter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /**
   * Reads a size.
   *
   * @throws IllegalArgumentException with the text and what was expected
   */
  public static long parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (matcher.matches()) {
      try {
        long number = Long.parseLong(matcher.group(1));
        String unit = matcher.group(2).toUpperCase(Locale.ROOT);
        int shift = unit.isEmpty() ? 0 : 10 * (UNITS.indexOf(unit) + 1);
        return Math.multiplyExact(number, 1L << shift);
      } catch (ArithmeticException | NumberFormatException e) {
        throw new IllegalArgumentException("'" + text + "' is more than 8 EiB", e);
      }
    }
    throw new IllegalArgumentException("'" + text
        + "' is not a size: write bytes, or a whole number with k, m, g or t (powers of 1024), for example 4k or 64MiB");
  }

  /** A size for people, with at most one decimal: {@code 64 MiB}, {@code 1.5 GiB}, {@code 512 B}. */
  public static String format(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    int unit = Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, UNITS.length());
    double value = bytes / (double) (1L << (10 * unit));
    String number = String.format(Locale.ROOT, value < 1000 && value != Math.rint(value) ? "%.1f" : "%.0f", value);
    return number + " " + UNITS.charAt(unit - 1) + "iB";
  }

  /** A size as fio writes it where it is exact: {@code 4k}, {@code 1m}, {@code 512}. */
  public static String brief(long bytes) {
    for (int unit = UNITS.length(); unit > 0; unit--) {
      long one = 1L << (10 * unit);
      if (bytes >= one && bytes % one == 0) {
        return bytes / one + UNITS.substring(unit - 1, unit).toLowerCase(Locale.ROOT);
      }
    }
    return Long.toString(bytes);
  }
}
