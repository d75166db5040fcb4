package io.remora.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A storage node ({@code remora up}) with a pool {@code main} in a file, on a port of 127.0.0.1 that it keeps over restarts; spoken to
 * by the {@code remora} command. Its folder goes with it. Owned by the test's thread.
 */
final class Node implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final int port = Processes.freePort();
  private final RemoraProcess process;

  /** Starts it, with a pool of {@code poolMib} MiB. */
  Node(String name, int poolMib) {
    try {
      folder = Files.createTempDirectory("remora-node-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    process = new RemoraProcess(name, List.of("up", "--data", data(), "--listen", "127.0.0.1:" + port, "--pool",
        "main=" + folder.resolve("main.pool") + ":" + poolMib + "MiB"), Pattern.compile("^ready: "));
  }

  private String data() {
    return folder.resolve("data").toString();
  }

  /** Where it listens, on 127.0.0.1. */
  int port() {
    return port;
  }

  RemoraProcess process() {
    return process;
  }

  /** Makes and publishes a thin volume; returns its NQN. Without {@code allowed} hosts anybody may connect. */
  String volume(String name, long sizeBytes, String... allowed) {
    command("volume", "create", name, "--size", Long.toString(sizeBytes));
    List<String> publish = new ArrayList<>(List.of("volume", "publish", name));
    for (String host : allowed) {
      publish.addAll(List.of("--allow", host));
    }
    return command(publish.toArray(String[]::new)).at("/publication/nqn").asText();
  }

  /** Runs {@code remora arguments... --data ... --json}, which must succeed; returns the object it printed. */
  JsonNode command(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--data", data(), "--json"));
    return parse(RemoraProcess.call(all.toArray(String[]::new)));
  }

  /** What the pool's volumes take of it, in bytes. */
  long usedBytes() {
    return command("pool", "show", "main").path("used_bytes").asLong(-1);
  }

  /** The last line of {@code text} as JSON. */
  static JsonNode parse(String text) {
    try {
      return JSON.readTree(text.strip().lines().reduce("", (first, last) -> last));
    } catch (JsonProcessingException e) {
      throw new AssertionError("no JSON: " + text, e);
    }
  }

  @Override
  public void close() {
    process.close();
    Processes.deleteTree(folder);
  }
}
