package io.remora.peers;

import io.remora.verbs.tool.PerftestJob;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a program of perftest is called for a job, and what it says then. A job is written as {@code write:65536:200}: operation, bytes, iterations.
 *
 * @param job what to do
 */
record PerftestProgram(PerftestJob job) {
  private static final int DEPTH = 16;
  private static final Pattern RESULT = Pattern.compile("(?m)^ *(\\d+)[ \\t]+(\\d+)(?:[ \\t]+[0-9.]+){3}");

  static PerftestProgram parse(String text) {
    String[] words = text.split(":", -1);
    return new PerftestProgram(PerftestJob.of(Operation.parse(words[0]), Integer.parseInt(words[1]),
        Long.parseLong(words[2]), DEPTH));
  }

  /** For people: {@code write of 65536 bytes}. */
  String name() {
    return job.operation().text() + " of " + job.bytes() + " bytes";
  }

  /** The command of the server at {@code port}, and with the server's address behind it of the client. */
  List<String> command(int port) {
    Operation operation = job.operation();
    String program = switch (operation) {
      case SEND, WRITE, READ -> operation.text();
      case FETCH_AND_ADD, COMPARE_AND_SWAP -> "atomic";
    };
    List<String> command = new ArrayList<>(List.of("ib_" + program + "_bw", "-R", "-F", "-p", Integer.toString(port),
        "-n", Long.toString(job.iterations())));
    if ("atomic".equals(program)) {
      command.addAll(List.of("-A", operation == Operation.FETCH_AND_ADD ? "FETCH_AND_ADD" : "CMP_AND_SWAP"));
    } else {
      command.addAll(List.of("-s", Integer.toString(job.bytes())));
    }
    return command;
  }

  /** Throws unless what the program has printed ends with a result of the whole job. */
  void check(String said) {
    Matcher result = RESULT.matcher(said);
    if (!result.find() || Long.parseLong(result.group(1)) != job.bytes()
        || Long.parseLong(result.group(2)) != job.iterations()) {
      throw new AssertionError(String.format(Locale.ROOT, "no result of %d iterations of %d bytes:%n%s",
          job.iterations(), job.bytes(), said));
    }
  }
}
