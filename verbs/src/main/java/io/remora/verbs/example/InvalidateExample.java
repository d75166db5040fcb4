package io.remora.verbs.example;

import io.remora.verbs.Access;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.util.function.Consumer;

/** The answer to a request takes the key back by itself: one message less. */
final class InvalidateExample implements Example {
  @Override
  public String name() {
    return "send-with-invalidate";
  }

  @Override
  public String description() {
    return "A message that makes a key of the receiver's invalid as it arrives";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    MemoryWindow window = server.on(server.domain()::allocateMemoryWindow);
    int key = server.on(window::nextKey);
    server.receive(0, 64);
    server.post(new SendRequest().id(1).bind(window, key, server.region(), 8192, 64, Access.REMOTE_WRITE));
    server.completion();
    client.put(0, "done");
    client.post(new SendRequest().id(2).piece(client.region(), 0, 5).write(server.region().address() + 8192, key));
    client.post(new SendRequest().id(3).piece(client.region(), 0, 5).sendWithInvalidate(key));
    client.completion();
    client.completion();
    WorkCompletions received = server.completion();
    out.accept(
        "the server was told '" + server.text(0) + "', and its key " + Integer.toHexString(received.invalidatedKey(0))
            + " is invalid");
    server.on(() -> {
      window.close();
      return true;
    });
  }
}
