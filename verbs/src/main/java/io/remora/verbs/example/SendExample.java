package io.remora.verbs.example;

import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.util.function.Consumer;

/** Two-sided: the receiver has said where a message goes before it comes. */
final class SendExample implements Example {
  @Override
  public String name() {
    return "send";
  }

  @Override
  public String description() {
    return "A message into a receive that the server has posted";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    server.receive(0, 1024);
    client.put(0, "hello from the client");
    client.post(new SendRequest().id(1).piece(client.region(), 0, 22).send());
    client.completion();
    WorkCompletions received = server.completion();
    out.accept("the server received " + received.lengthBytes(0) + " bytes: " + server.text(0));
  }
}
