package io.remora.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** What a matrix keeps, and finds again. */
class OutcomesTest {
  private static final long SIZE = 256 << 20;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private static Outcome outcome(String transport, Ends ends, double iops) {
    return outcome(transport, ends, iops, "near");
  }

  private static Outcome outcome(String transport, Ends ends, double iops, String cores) {
    return outcome(transport, ends, iops, cores, 0.01);
  }

  private static Outcome outcome(String transport, Ends ends, double iops, String cores, double others) {
    return new Outcome(new Cell(Cell.HOST, transport, "randread", 4096, 32, 1, ends), iops, 50.25, 99.5, 1000, 1.5,
        1.25, others, cores);
  }

  @Test
  void whatIsMeasuredIsFoundAgain() throws IOException {
    Outcomes first = Outcomes.open(folder, SIZE, 70);
    first.add(outcome("tcp", Ends.POLL, 500_000));
    first.add(outcome("shm", Ends.POLL, 1_250_000));
    first.report();

    Outcomes again = Outcomes.open(folder, SIZE, 70);
    assertThat(again.all()).containsExactlyElementsOf(first.all());
    assertThat(again.rounds(outcome("shm", Ends.POLL, 0).cell())).isEqualTo(1);
    assertThat(again.rounds(outcome("shm", Ends.SLEEP, 0).cell())).isZero();
    assertThat(Files.readString(folder.resolve("results.md")))
        .contains("| host | shm | randread | 4096 | 32 | 1 | poll | near | 1 | 1250000 |")
        .contains("| 2.50, 1.00, 1.00 |");
    assertThat(first.json().at("/results/1/lat_us/p99_9").asDouble()).isEqualTo(1000);
    assertThat(first.json().at("/results/0/mib_s").asDouble()).isEqualTo(1953.1);
  }

  @Test
  void oneResultHasWhatWasMeasuredWithOtherEnds() {
    Outcomes first = Outcomes.open(folder, SIZE, 70);
    first.add(outcome("tcp", Ends.POLL, 500_000));
    first.add(outcome("shm", Ends.POLL, 1_250_000));
    first.add(outcome("tcp", Ends.SLEEP, 200_000));
    first.add(outcome("shm", Ends.SLEEP, 300_000));
    first.add(outcome("shm", Ends.ADAPT, 1_000_000));
    for (Outcomes outcomes : new Outcomes[] {first, Outcomes.open(folder, SIZE, 70)}) {
      assertThat(outcomes.all()).containsExactlyInAnyOrderElementsOf(first.all());
      assertThat(outcomes.json().at("/results")).hasSize(2);
      assertThat(outcomes.json().at("/results/1/ends").asText()).isEqualTo("poll");
      assertThat(outcomes.json().at("/results/1/iops").asDouble()).isEqualTo(1_250_000);
      assertThat(outcomes.json().at("/results/1/other_ends/0/ends").asText()).isEqualTo("sleep");
      assertThat(outcomes.json().at("/results/1/other_ends/0/lat_us/p50").asDouble()).isEqualTo(50.25);
      assertThat(outcomes.json().at("/results/1/other_ends/1/iops").asDouble()).isEqualTo(1_000_000);
      assertThat(outcomes.json().at("/results/0/other_ends/0/rounds")).hasSize(1);
    }
  }

  @Test
  void theMiddleRoundWithNearProcessorsLeftAloneCounts() {
    Outcomes first = Outcomes.open(folder, SIZE, 70);
    first.add(outcome("shm", Ends.POLL, 100, "far"));
    first.add(outcome("tcp", Ends.POLL, 1, "far"));
    first.add(outcome("shm", Ends.POLL, 900, "near"));
    first.add(outcome("tcp", Ends.POLL, 7, "mixed"));
    first.add(outcome("shm", Ends.POLL, 50, "mixed"));
    first.add(outcome("tcp", Ends.POLL, 5, "far"));
    first.add(outcome("shm", Ends.POLL, 700, "near"));
    first.add(outcome("shm", Ends.POLL, 500, "near"));
    first.add(outcome("shm", Ends.POLL, 60, "near", 0.2));
    first.add(outcome("shm", Ends.POLL, 70, "near", 0.2));
    for (Outcomes outcomes : new Outcomes[] {first, Outcomes.open(folder, SIZE, 70)}) {
      assertThat(outcomes.all()).containsExactly(outcome("shm", Ends.POLL, 700, "near"),
          outcome("tcp", Ends.POLL, 5, "far"));
      assertThat(outcomes.json().at("/results/0/rounds")).hasSize(7);
      assertThat(outcomes.json().at("/results/0/rounds/0/cores").asText()).isEqualTo("far");
      assertThat(outcomes.rounds(outcome("tcp", Ends.POLL, 0).cell())).isEqualTo(3);
    }
  }

  @Test
  void anotherDeviceOrMixIsNotMixedIn() {
    Outcomes.open(folder, SIZE, 70).add(outcome("tcp", Ends.POLL, 500_000));
    assertThatThrownBy(() -> Outcomes.open(folder, 8 << 20, 70)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("a device of 268435456 bytes").hasMessageContaining("give another folder");
    assertThatThrownBy(() -> Outcomes.open(folder, SIZE, 50)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("70 % reads");
    assertThat(Outcomes.open(folder, SIZE, 70).all()).hasSize(1);
  }

  @Test
  void chartsAreXml() throws Exception {
    Outcomes outcomes = Outcomes.open(folder, SIZE, 70);
    outcomes.add(outcome("tcp", Ends.POLL, 500_000));
    outcomes.add(outcome("shm", Ends.SLEEP, 900));
    outcomes.report();
    for (String name : new String[] {"iops.svg", "latency.svg", "cpu.svg"}) {
      String svg = Files.readString(folder.resolve(name));
      var root = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)))
          .getDocumentElement();
      assertThat(root.getElementsByTagName("rect").getLength()).as(name).isEqualTo(1 + 2 + 2);
    }
  }

  @Test
  void whatIsNoResultIsRefused() throws IOException {
    Files.writeString(folder.resolve("results.json"), "{\"version\":9,\"results\":[]}");
    assertThatThrownBy(() -> Outcomes.open(folder, SIZE, 70)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("version");
    Files.writeString(folder.resolve("results.json"), "{\"version\":1,");
    assertThatThrownBy(() -> Outcomes.open(folder, SIZE, 70)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("results.json");
  }
}
