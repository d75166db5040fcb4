package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.remora.sim.Run;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code remora sim} as people run it. */
class SimCommandTest {
  @TempDir
  static Path folder;

  @Test
  void runsSeeds() throws IOException, InterruptedException {
    JsonNode result = CommandRun.json(folder, "sim", "--seeds", "6", "--first-seed", "1", "--jobs", "2");
    assertThat(result.get("ok").asBoolean()).isTrue();
    assertThat(result.get("seeds").asInt()).isEqualTo(6);
    assertThat(result.get("first_seed").asLong()).isEqualTo(1);
    assertThat(result.get("requests").asLong()).isPositive();
    assertThat(result.get("failures")).isEmpty();
  }

  @Test
  void aSeedIsTheSameInAnotherProcess() throws IOException, InterruptedException {
    JsonNode result = CommandRun.json(folder, "sim", "--seed", "12");
    assertThat(result.get("trace_hash").asText()).isEqualTo("%016x".formatted(Run.of(12, null).traceHash()));
    CommandRun run = CommandRun.end(folder, "sim", "--seed", "12");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("create pool", "serves", result.get("trace_hash").asText());
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"--seeds=0", "--minutes=0", "--jobs=0", "--seed=x", "--seed=1 --seeds=2",
    "--seed=1 --first-seed=2"})
  void refusesWhatMakesNoSense(String options) throws IOException, InterruptedException {
    CommandRun run = CommandRun.end(folder, ("sim " + options).split(" "));
    assertThat(run.exitCode()).isEqualTo(Remora.USAGE);
    assertThat(run.err()).startsWith("remora: ").contains(options.split("=")[0]);
  }
}
