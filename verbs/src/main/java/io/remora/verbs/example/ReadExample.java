package io.remora.verbs.example;

import io.remora.verbs.SendRequest;
import java.util.function.Consumer;

/** One-sided: the client fetches from the server's memory. */
final class ReadExample implements Example {
  @Override
  public String name() {
    return "read";
  }

  @Override
  public String description() {
    return "The client reads the server's memory";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    server.put(4096, "what the server has");
    client.post(new SendRequest().id(1).piece(client.region(), 0, 64)
        .read(server.region().address() + 4096, server.region().remoteKey()));
    client.completion();
    out.accept("the client read: " + client.text(0));
  }
}
