package io.remora.bench.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;

/** A running target, held still while another one is measured. Owned by the main thread. */
final class Contestant implements AutoCloseable {
  private static final long START_NS = 60_000_000_000L;

  private final String name;
  private final int port;
  private final Process process;
  private final ProcessTree tree;

  /** Starts {@code command} and waits until it takes connections at {@code port} of 127.0.0.1. What it prints goes to {@code log}. */
  Contestant(String name, List<String> command, int port, Path log) {
    this.name = name;
    this.port = port;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    tree = new ProcessTree(process.toHandle());
    // One that is held still would stay when the measurement is interrupted.
    Runtime.getRuntime().addShutdownHook(new Thread(tree::end));
    long deadline = System.nanoTime() + START_NS;
    while (!takesConnections()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        tree.end();
        throw new IllegalStateException(name + " takes no connections at port " + port + "; see " + log);
      }
      Programs.pause(200);
    }
  }

  String name() {
    return name;
  }

  int port() {
    return port;
  }

  ProcessTree tree() {
    return tree;
  }

  boolean alive() {
    return process.isAlive();
  }

  private boolean takesConnections() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    tree.end();
  }
}
