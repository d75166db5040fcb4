package io.remora.bench.iwarp;

import io.remora.base.Loop;
import io.remora.base.Loops;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The other process: serves one {@link Work} at a time, on a loop that lives as long as that. Its main program reads a line with the work, prints the port, and ends the loop at
 * the next, empty line. Owned by the main thread of the process that starts it.
 */
final class Other implements AutoCloseable {
  /** What threads of loops are called. */
  static final String LOOPS = "stream";

  private final Process process;
  private final BufferedReader output;
  private final PrintWriter input;

  /** Starts it; {@code options} are Java's. */
  Other(int core, List<String> options) throws IOException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
    command.addAll(options);
    command.addAll(List.of(Other.class.getName(), Integer.toString(core)));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    output = process.inputReader(StandardCharsets.UTF_8);
    input = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  /** Has it serve {@code work}; returns the port. */
  int serve(Work work) throws IOException {
    input.println(String.join(" ", work.words()));
    return Integer.parseInt(String.valueOf(output.readLine()));
  }

  /** Has it stop. */
  void rest() throws IOException {
    input.println();
    output.readLine();
  }

  @Override
  public void close() {
    input.close();
    process.onExit().join();
  }

  /** The other process itself. */
  public static void main(String[] arguments) throws IOException {
    int core = Integer.parseInt(arguments[0]);
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      Work work = Work.parse(Arrays.asList(line.split(" ")));
      try (Loops loops = loops(core)) {
        Loop loop = loops.get(0);
        CompletableFuture<Integer> port = new CompletableFuture<>();
        loop.execute(() -> port.complete(Server.listen(loop, work)));
        System.out.println(port.join());
        input.readLine();
      }
      System.out.println("rests");
    }
    System.exit(0);
  }

  /** A loop on {@code core} that never sleeps. */
  static Loops loops(int core) {
    return Loops.start(new Loops.Config(LOOPS, 1, Loops.Backend.AUTO, Long.MAX_VALUE, List.of(core)));
  }
}
