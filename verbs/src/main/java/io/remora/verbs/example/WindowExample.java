package io.remora.verbs.example;

import io.remora.verbs.Access;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.SendRequest;
import java.util.function.Consumer;

/** A key for one request only: how storage hands out memory without trusting the other end for longer than it has to. */
final class WindowExample implements Example {
  @Override
  public String name() {
    return "window";
  }

  @Override
  public String description() {
    return "A key to a part of a region, for one request, then invalid";
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    server.put(8192, "for this request only");
    MemoryWindow window = server.on(server.domain()::allocateMemoryWindow);
    int key = server.on(window::nextKey);
    // The client speaks first: on iWARP a server may do nothing on the wire before; binding is local, so it can.
    server.post(new SendRequest().id(1).bind(window, key, server.region(), 8192, 64, Access.REMOTE_READ));
    server.completion();
    client.post(new SendRequest().id(2).piece(client.region(), 0, 64).read(server.region().address() + 8192, key));
    client.completion();
    out.accept("the client read by the window's key: " + client.text(0));
    server.post(new SendRequest().id(3).localInvalidate(key));
    server.completion();
    out.accept("the key is invalid now");
    server.on(() -> {
      window.close();
      return true;
    });
  }
}
