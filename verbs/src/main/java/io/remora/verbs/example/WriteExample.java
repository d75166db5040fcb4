package io.remora.verbs.example;

import io.remora.verbs.SendRequest;
import java.util.function.Consumer;

/** One-sided: the client writes into the server's memory; the server's program does nothing and is told nothing. */
final class WriteExample implements Example {
  @Override
  public String name() {
    return "write";
  }

  @Override
  public String description() {
    return "The client writes into the server's memory, and a message tells when";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    // A real program sends address and key in a message; whoever has them may write.
    long address = server.region().address() + 4096;
    int key = server.region().remoteKey();
    server.receive(0, 16);
    client.put(0, "written by the client");
    client.post(new SendRequest().id(1).piece(client.region(), 0, 22).write(address, key));
    client.post(new SendRequest().id(2).clear().send());
    client.completion();
    client.completion();
    server.completion();
    out.accept("in the server's memory stands: " + server.text(4096));
  }
}
