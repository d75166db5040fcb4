package io.remora.bench.flame;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what {@code perf script} prints: for each sample a heading, then its calls, the innermost first, then an empty line. */
final class PerfScript {
  /** Address, symbol with offset, file. */
  private static final Pattern CALL = Pattern
      .compile("^\\s+[0-9a-f]+ (.+?)(?:\\+0x[0-9a-f]+)? \\(([^()]*(?:\\([^()]*\\))?[^()]*)\\)$");
  private static final Pattern JAVA_METHOD = Pattern.compile("^(?:.* )?([^ (]+)\\(.*\\).*$");

  private PerfScript() {}

  /** All samples as one tree. */
  static Frame read(BufferedReader in) throws IOException {
    Frame root = new Frame("all", Frame.Kind.ROOT);
    List<String[]> calls = new ArrayList<>();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Matcher call = CALL.matcher(line);
      if (call.matches()) {
        calls.add(new String[] {call.group(1), call.group(2)});
      } else if (line.isBlank()) {
        add(root, calls);
        calls.clear();
      }
    }
    add(root, calls);
    return root;
  }

  private static void add(Frame root, List<String[]> calls) {
    if (calls.isEmpty()) {
      return;
    }
    Frame at = root;
    at.count();
    for (String[] call : calls.reversed()) {
      Frame.Kind kind = kind(call[1]);
      String name = kind == Frame.Kind.JAVA ? method(call[0]) : call[0];
      // Return addresses that belong to nothing known say nothing.
      if (!name.equals("[unknown]")) {
        at = at.callee(name, kind);
        at.count();
      }
    }
  }

  private static Frame.Kind kind(String file) {
    return file.startsWith("[kernel") || file.startsWith("[guest.kernel") || file.endsWith(".ko")
        ? Frame.Kind.KERNEL
        : file.contains("/perf-") && file.endsWith(".map") ? Frame.Kind.JAVA : Frame.Kind.NATIVE;
  }

  /** A method without its types and without what all names of ours begin with. */
  private static String method(String symbol) {
    Matcher method = JAVA_METHOD.matcher(symbol);
    String name = method.matches() ? method.group(1) : symbol;
    return name.startsWith("io.remora.") ? name.substring("io.remora.".length()) : name;
  }
}
