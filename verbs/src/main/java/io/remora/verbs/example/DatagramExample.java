package io.remora.verbs.example;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.util.function.Consumer;

/** Without a connection: to whoever has a receive posted and knows the key. May be lost. */
final class DatagramExample implements Example {
  @Override
  public String name() {
    return "datagram";
  }

  @Override
  public String description() {
    return "An unreliable datagram to an address handle";
  }

  @Override
  public QueuePairType type() {
    return QueuePairType.UD;
  }

  @Override
  public void run(Node client, Node server, Consumer<String> out) {
    CmId.Established way = client.connection();
    AddressHandle destination = way.destination();
    if (destination == null) {
      throw new RemoraException(Status.INTERNAL, "the connection manager named no destination");
    }
    server.receive(0, 1024);
    client.put(0, "a datagram");
    client.post(
        new SendRequest().id(1).piece(client.region(), 0, 11).send().to(destination, way.queuePair(), way.queueKey()));
    client.completion();
    WorkCompletions received = server.completion();
    out.accept(
        "from queue pair " + received.sourceQueuePair(0) + ": " + server.text(ReceiveRequest.ROUTE_HEADER_BYTES));
  }
}
