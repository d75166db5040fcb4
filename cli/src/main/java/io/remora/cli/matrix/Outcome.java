package io.remora.cli.matrix;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What came of a cell.
 *
 * @param iops operations per second
 * @param p50Us median latency, in microseconds
 * @param p99Us 99th percentile
 * @param p999Us 99.9th percentile
 * @param hostCpuUs processor time of the load's process per operation, in microseconds
 * @param targetCpuUs processor time of the target's process per operation, in microseconds; 0 in the same process
 * @param others the share of the machine's processors that others used meanwhile, 0 to 1
 * @param cores how far apart the processors were before and after: {@code near}, {@code far}, {@code mixed}, or {@code unknown} where the loops are not pinned
 */
public record Outcome(Cell cell, double iops, double p50Us, double p99Us, double p999Us, double hostCpuUs,
    double targetCpuUs, double others, String cores) {
  /** Above this share of others a figure says more of them. */
  private static final double MAX_OTHERS = 0.05;

  double mibPerSecond() {
    return iops * cell.blockBytes() / (1 << 20);
  }

  /** Whether the processors shared a cache all the time, as far as is known, and others left them alone. */
  boolean isClean() {
    return cores.equals("near") && others <= MAX_OTHERS;
  }

  /** All but the cell. */
  void write(ObjectNode node) {
    node.put("iops", round(iops, 1)).put("mib_s", round(mibPerSecond(), 1)).set("lat_us",
        JsonNodeFactory.instance.objectNode().put("p50", round(p50Us, 2)).put("p99", round(p99Us, 2)).put("p99_9",
            round(p999Us, 2)));
    node.put("host_cpu_us_per_io", round(hostCpuUs, 3)).put("target_cpu_us_per_io", round(targetCpuUs, 3))
        .put("others", round(others, 3)).put("cores", cores);
  }

  static Outcome read(Cell cell, JsonNode node) {
    JsonNode latency = node.path("lat_us");
    return new Outcome(cell, node.path("iops").asDouble(), latency.path("p50").asDouble(),
        latency.path("p99").asDouble(),
        latency.path("p99_9").asDouble(), node.path("host_cpu_us_per_io").asDouble(),
        node.path("target_cpu_us_per_io").asDouble(), node.path("others").asDouble(), node.path("cores").asText());
  }

  private static double round(double value, int digits) {
    double factor = Math.pow(10, digits);
    return Math.round(value * factor) / factor;
  }
}
