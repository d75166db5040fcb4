package io.remora.verbs.tool;

import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.Provider;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.RealFabric;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Two devices on loops of their own, one with perftest's server and one with its clients. Called from the test's thread. */
final class PerftestEnds implements AutoCloseable {
  /** How to get a provider, with its device. */
  record Way(String device, Supplier<Provider> provider) {
    @Override
    public String toString() {
      return device;
    }
  }

  /** How an end has ended. */
  record End(Status status, String text, @Nullable PerftestReport report) {}

  final Fabric fabric;
  final Context near;
  final Context far;
  final List<End> clients = new ArrayList<>();
  final List<End> served = new ArrayList<>();
  int begun;
  @Nullable
  PerftestServer server;

  PerftestEnds(Way way) {
    this(RealFabric.local(way.provider().get(), way.device()));
  }

  PerftestEnds(Fabric fabric) {
    this.fabric = fabric;
    this.near = fabric.on(0, () -> fabric.provider().open(fabric.loop(0), fabric.device(0)));
    this.far = fabric.on(1, () -> fabric.provider().open(fabric.loop(1), fabric.device(1)));
  }

  InetSocketAddress serve(PerftestJob job) {
    stop();
    PerftestServer made = fabric.on(1,
        () -> new PerftestServer(far, fabric.address(1), job, new PerftestServer.Listener() {
          @Override
          public void onBegin(InetSocketAddress client) {
            begun++;
          }

          @Override
          public void onEnd(InetSocketAddress client, Status status, String text, @Nullable PerftestReport report) {
            served.add(new End(status, text, report));
          }
        }));
    server = made;
    return made.localAddress();
  }

  PerftestClient begin(InetSocketAddress address, PerftestJob job) {
    return fabric.on(0, () -> new PerftestClient(near, address, job,
        (status, text, report) -> clients.add(new End(status, text, report))));
  }

  End run(InetSocketAddress address, PerftestJob job) {
    int before = fabric.on(0, clients::size);
    begin(address, job);
    fabric.await(0, "the client", () -> clients.size() > before);
    return fabric.on(0, clients::getLast);
  }

  void awaitServed(int count) {
    fabric.await(1, "the server", () -> served.size() == count);
  }

  void stop() {
    PerftestServer present = server;
    if (present != null) {
      fabric.run(1, present::close);
      server = null;
    }
  }

  @Override
  public void close() {
    stop();
    // Refuse while something of them is open.
    fabric.run(0, near::close);
    fabric.run(1, far::close);
    fabric.close();
  }
}
