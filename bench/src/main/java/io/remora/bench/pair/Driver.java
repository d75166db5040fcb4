package io.remora.bench.pair;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A program that puts load on a target for some seconds and prints what it saw. */
sealed interface Driver {
  /** For people. */
  String name();

  /** The command line for {@code work} on the target that {@code place} describes. */
  List<String> command(Work work, Place place);

  /** Reads what it printed. */
  Figures figures(String output);

  /**
   * Where and how long.
   *
   * @param core the CPU of the driver
   * @param rampSeconds before the measurement
   * @param seconds of the measurement
   */
  record Place(String address, int port, String nqn, int core, int rampSeconds, int seconds) {}

  /** {@code remora bench}. */
  record Remora(String program, List<String> options) implements Driver {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public String name() {
      return "remora bench";
    }

    @Override
    public List<String> command(Work work, Place place) {
      List<String> command = new ArrayList<>(List.of(program, "bench",
          "nvmf+tcp://" + place.address + ":" + place.port + "/" + place.nqn, "--rw", work.pattern(), "--rwmixread",
          Integer.toString(work.readPercent()), "--bs", Integer.toString(work.blockBytes()), "--iodepth",
          Integer.toString(work.depth()), "--ramp-time", Integer.toString(place.rampSeconds), "--runtime",
          Integer.toString(place.seconds), "--cores", Integer.toString(place.core), "--json"));
      command.addAll(options);
      return command;
    }

    @Override
    public Figures figures(String output) {
      try {
        JsonNode said = JSON.readTree(output.lines().filter(line -> line.startsWith("{")).findFirst().orElse("{}"));
        JsonNode latency = said.path("lat_us");
        if (!said.path("ok").asBoolean() || latency.isMissingNode()) {
          throw new IllegalArgumentException("remora bench failed: " + output);
        }
        return new Figures(said.path("iops").asDouble(), latency.path("p50").asDouble(), latency.path("p99").asDouble(),
            latency.path("p99_9").asDouble());
      } catch (JsonProcessingException e) {
        throw new IllegalArgumentException("remora bench printed no JSON: " + output, e);
      }
    }
  }

  /**
   * A program that prints what {@code spdk_nvme_perf -L} prints. In {@code commandLine}, for a shell: ADDRESS, PORT, NQN, CORE, RW, BYTES,
   * DEPTH, RAMP, SECONDS, and MIX, which is {@code -M PERCENT} where reads and writes are mixed.
   */
  record Perf(String name, String commandLine) implements Driver {
    private static final Pattern TOTAL = Pattern.compile("^Total\\s*:\\s*([0-9.]+)", Pattern.MULTILINE);
    private static final Pattern PERCENTILE = Pattern.compile("^\\s*([0-9.]+)%\\s*:\\s*([0-9.]+)us", Pattern.MULTILINE);

    @Override
    public List<String> command(Work work, Place place) {
      Map<String, Object> values = Map.of("ADDRESS", place.address, "PORT", place.port, "NQN", place.nqn, "CORE",
          place.core, "RW", work.pattern(), "BYTES", work.blockBytes(), "DEPTH", work.depth(), "RAMP",
          place.rampSeconds, "SECONDS", place.seconds, "MIX",
          work.pattern().equals("randrw") ? "-M " + work.readPercent() : "");
      return Programs.shell(commandLine, values);
    }

    @Override
    public Figures figures(String output) {
      return new Figures(number(TOTAL, output), percentile(50, output), percentile(99, output),
          percentile(99.9, output));
    }

    private static double number(Pattern pattern, String output) {
      Matcher found = pattern.matcher(output);
      if (!found.find()) {
        throw new IllegalArgumentException("no figures in what the driver printed:\n" + output);
      }
      return Double.parseDouble(found.group(1));
    }

    private static double percentile(double wanted, String output) {
      Matcher found = PERCENTILE.matcher(output);
      while (found.find()) {
        if (Math.abs(Double.parseDouble(found.group(1)) - wanted) < 1e-6) {
          return Double.parseDouble(found.group(2));
        }
      }
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "no percentile %.1f in what the driver printed:%n%s", wanted, output));
    }
  }
}
