package io.remora.cli;

import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads options that picocli does not know by itself. */
final class Converters {
  private Converters() {}

  /** {@code ADDR:PORT}. */
  static final class Address implements ITypeConverter<InetSocketAddress> {
    @Override
    public InetSocketAddress convert(String text) {
      try {
        return Addresses.parse(text);
      } catch (RemoraException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** A time in seconds, or with a unit, as nanoseconds. */
  static final class Time implements ITypeConverter<Long> {
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,9})?)(us|ms|s|m|h|)");

    @Override
    public Long convert(String text) {
      Matcher matcher = TEXT.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'" + text + "' is not a time: write seconds, or a number with ms, s, m or h");
      }
      double unitNs = switch (matcher.group(2)) {
        case "us" -> 1e3;
        case "ms" -> 1e6;
        case "m" -> 60e9;
        case "h" -> 3600e9;
        default -> 1e9;
      };
      return Math.round(Double.parseDouble(matcher.group(1)) * unitNs);
    }
  }

  /** CPUs as the kernel writes them: {@code 0-3,6}. */
  static final class Cores implements ITypeConverter<List<Integer>> {
    private static final int MAX_CPU = 4095;

    @Override
    public List<Integer> convert(String text) {
      List<Integer> cores = new ArrayList<>();
      for (String part : text.split(",", -1)) {
        int dash = part.indexOf('-');
        int from = cpu(dash < 0 ? part : part.substring(0, dash), text);
        int to = dash < 0 ? from : cpu(part.substring(dash + 1), text);
        for (int cpu = from; cpu <= to; cpu++) {
          cores.add(cpu);
        }
        if (to < from) {
          throw wrong(text);
        }
      }
      return List.copyOf(cores);
    }

    private static int cpu(String number, String text) {
      try {
        int cpu = Integer.parseUnsignedInt(number);
        if (cpu <= MAX_CPU) {
          return cpu;
        }
      } catch (NumberFormatException e) {
        throw wrong(text);
      }
      throw wrong(text);
    }

    private static TypeConversionException wrong(String text) {
      return new TypeConversionException("'" + text + "' is not a list of CPUs, for example 0-3,6");
    }
  }
}
