package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** How {@code remora rdma perf --peer perftest} may not be called. */
class RdmaPerftestTest {
  @ParameterizedTest
  @CsvSource({"--peer perftest --runtime 5, --runtime has no meaning with --peer perftest",
    "--iterations 5, --iterations has no meaning with --peer remora",
    "--peer remora --verify, --verify has no meaning with --peer remora",
    "--peer perftest --op swap, compare-and-swap", "--peer perftest --op atomic --bs 16, an atomic has 8 bytes",
    "--peer perftest --bs 1g, bytes per operation", "--peer perftest --iterations 0, iterations",
    "--peer perftest --iodepth 0, at once", "--peer perftest --op send --receives 1, receives"})
  void isSaid(String options, String error) {
    StringWriter said = new StringWriter();
    CommandLine command = new CommandLine(new RdmaPerfCommand.Perf()).setErr(new PrintWriter(said))
        .setCaseInsensitiveEnumValuesAllowed(true);
    int code = command.execute(("rdma://127.0.0.1:9?provider=iwarp " + options).split(" "));
    assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(said.toString().lines().findFirst().orElseThrow()).contains(error);
  }
}
