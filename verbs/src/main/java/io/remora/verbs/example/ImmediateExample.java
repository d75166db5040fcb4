package io.remora.verbs.example;

import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.util.function.Consumer;

/** A write that tells the other end: 32 bits in the completion of one of its receives. */
final class ImmediateExample implements Example {
  @Override
  public String name() {
    return "write-with-immediate";
  }

  @Override
  public String description() {
    return "A write that also hands the server 32 bits";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    server.receive(0, 0);
    client.put(0, "block 42");
    client.post(new SendRequest().id(1).piece(client.region(), 0, 9)
        .writeWithImmediate(server.region().address() + 4096, server.region().remoteKey(), 42));
    client.completion();
    WorkCompletions told = server.completion();
    out.accept("the server was told " + told.immediate(0) + ", and finds: " + server.text(4096));
  }
}
