package io.remora.verbs.example;

import io.remora.base.Loops;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/** One operation between two connected nodes. */
public interface Example {
  /** What the command line calls it. */
  String name();

  /** In a sentence. */
  String description();

  /** The service that it needs. */
  default QueuePairType type() {
    return QueuePairType.RC;
  }

  /** Does it: {@code client} has connected to {@code server} and has sent nothing yet. Says to {@code out} what happens. */
  void run(Node client, Node server, Consumer<String> out);

  /** Connects two nodes over {@code device} of {@code provider}, each on a loop of its own, and runs it. */
  default void run(Provider provider, String device, Consumer<String> out) {
    try (Loops loops = Loops.start(Loops.Config.of("example", 2));
        Node client = new Node(provider, device, loops.get(0));
        Node server = new Node(provider, device, loops.get(1))) {
      connect(client, server);
      run(client, server, out);
    }
  }

  private void connect(Node client, Node server) {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    QueuePairConfig clients = client.config().withType(type());
    QueuePairConfig servers = server.config().withType(type());
    CmListener listener = server
        .on(() -> server.context().connectionManager().listen(anyPort, type(), request -> {
          CmId id = request.attach(server.context(), server);
          server.use(id, servers);
          id.accept(CmId.Parameters.DEFAULT);
        }));
    CmId id = client
        .on(() -> client.context().connectionManager().resolve(listener.localAddress(), type(), client));
    client.awaitResolved();
    client.on(() -> {
      client.use(id, clients);
      id.connect(CmId.Parameters.DEFAULT);
      return true;
    });
    client.connection();
    server.on(() -> {
      listener.close();
      return true;
    });
  }
}
