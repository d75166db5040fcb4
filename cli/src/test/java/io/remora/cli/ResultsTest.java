package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResultsTest {
  @Test
  void benchPrintsTheseFields() {
    Workload workload = new Workload(Workload.Pattern.RANDRW, 70, 4096, 32, 2, 0, 1 << 20, 1_000_000_000L, 0, false, 1);
    Histogram reads = new Histogram(3);
    reads.recordValueWithCount(50_000, 99);
    reads.recordValue(1_000_000);
    Result result = new Result(new Result.Direction(100, 4096, reads), new Result.Direction(0, 4096, new Histogram(3)),
        2_000_000_000L, 400_000, 0, List.of());
    ObjectNode node = Results.full("mem:1m", workload, result);
    assertThat(names(node)).containsExactlyInAnyOrder("ok", "uri", "rw", "bs", "iodepth", "numjobs", "runtime_s",
        "iops",
        "bw_bytes_per_s", "lat_us", "read", "write", "driver_cpu_us_per_io", "verified_bytes", "errors");
    assertThat(names(node.get("lat_us"))).containsExactlyInAnyOrder("min", "mean", "p50", "p99", "p99_9", "max");
    assertThat(names(node.get("read"))).containsExactlyInAnyOrder("ios", "iops", "bw_bytes_per_s", "lat_us");
    assertThat(node.get("rw").asText()).isEqualTo("randrw");
    assertThat(node.get("iops").asDouble()).isEqualTo(50.0);
    assertThat(node.get("driver_cpu_us_per_io").asDouble()).isEqualTo(4.0);
    assertThat(node.get("lat_us").get("p50").asDouble()).isBetween(49.9, 50.1);
    assertThat(node.get("lat_us").get("p99_9").asDouble()).isBetween(999.0, 1001.0);
    assertThat(node.get("write").get("lat_us").get("p50").asDouble()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"0,0", "999.4,999", "1000,1.0 k", "99900,99.9 k", "99960,100 k", "512345,512 k", "999600,1.00 M",
    "1234567,1.23 M"})
  void countsForPeople(double value, String text) {
    assertThat(Results.count(value)).isEqualTo(text);
  }

  private static Set<String> names(com.fasterxml.jackson.databind.JsonNode node) {
    Set<String> names = new TreeSet<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
