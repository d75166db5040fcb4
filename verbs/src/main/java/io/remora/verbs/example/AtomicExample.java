package io.remora.verbs.example;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.verbs.SendRequest;
import java.util.function.Consumer;

/** Eight bytes of the server's memory, changed in one piece. */
final class AtomicExample implements Example {
  @Override
  public String name() {
    return "atomic";
  }

  @Override
  public String description() {
    return "Fetch and add, then compare and swap, in the server's memory";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    long address = server.region().address() + 4096;
    int key = server.region().remoteKey();
    server.on(() -> {
      server.memory().set(JAVA_LONG, 4096, 40);
      return true;
    });
    client.post(new SendRequest().id(1).piece(client.region(), 0, 8).fetchAndAdd(address, key, 2));
    client.completion();
    out.accept("it was " + client.on(() -> client.memory().get(JAVA_LONG, 0)) + " before 2 were added");
    client.post(new SendRequest().id(2).piece(client.region(), 8, 8).compareAndSwap(address, key, 42, 7));
    client.completion();
    out.accept("it was " + client.on(() -> client.memory().get(JAVA_LONG, 8)) + ", so it was swapped for "
        + server.on(() -> server.memory().get(JAVA_LONG, 4096)));
  }
}
