package io.remora.cli.terminal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Status;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command writes: results to stdout, as lines or as one JSON object; errors and progress to stderr, one line each.
 * Any thread.
 */
public final class Terminal {
  private final PrintStream out;
  private final PrintStream err;
  private final boolean interactive;
  private final boolean json;

  /** A terminal over two streams; {@code interactive}: a person watches stderr. */
  public Terminal(PrintStream out, PrintStream err, boolean interactive, boolean json) {
    this.out = out;
    this.err = err;
    this.interactive = interactive;
    this.json = json;
  }

  /** The process's own. */
  public static Terminal system(boolean json) {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    return new Terminal(out, err, System.getenv("TERM") != null && isTerminal(2), json);
  }

  /** The same, with results for people on stderr: for commands whose stdout carries data. */
  public Terminal onlyNotes() {
    return new Terminal(err, err, interactive, json);
  }

  /** Whether results are wanted as JSON. */
  public boolean json() {
    return json;
  }

  /** Whether a person watches stderr. */
  public boolean interactive() {
    return interactive;
  }

  /** An empty JSON object. */
  public static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** Prints one JSON value as one line. */
  public void result(JsonNode value) {
    out.println(value);
  }

  /** Prints one line of a result for people; nothing with {@link #json}. */
  public void line(String text) {
    if (!json) {
      out.println(text);
    }
  }

  /** Prints a table for people; nothing with {@link #json}. */
  public void table(Table table) {
    table.lines().forEach(this::line);
  }

  /** Prints one line about what is going on to stderr. */
  public void note(String text) {
    err.println(text);
  }

  /** Overwrites the last line of an interactive stderr. */
  void status(String text) {
    err.print("\r\u001b[K" + text);
    err.flush();
  }

  /** Prints one error: a line, or a JSON object with {@link #json}, to stderr. */
  public void error(Status status, String message) {
    if (json) {
      ObjectNode node = object();
      node.put("ok", false);
      node.putObject("error").put("status", status.name()).put("message", message);
      err.println(node);
    } else {
      err.println("remora: " + message.replaceAll("\\s*\\R\\s*", " "));
    }
  }

  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
