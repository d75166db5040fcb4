package io.remora.verbs.ibverbs;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.tool.PingClient;
import io.remora.verbs.tool.PingServer;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Either end of rping by libibverbs, on the device that {@link IbverbsDeviceConformance} takes: {@code serve PORT CLIENTS ROUNDS}, or {@code ping PORT ROUNDS BYTES...}. */
final class DevicePing {
  private static final int SECONDS = 60;

  private DevicePing() {}

  /** Ends with code 1 when something has not gone as it should. */
  public static void main(String[] arguments) {
    IbverbsProvider provider = new IbverbsProvider();
    DeviceInfo device = IbverbsDeviceConformance.device(provider);
    InetSocketAddress address = new InetSocketAddress(IbverbsDeviceConformance.address(device),
        Integer.parseInt(arguments[1]));
    int count = Integer.parseInt(arguments[2]);
    try (Loops loops = Loops.start(Loops.Config.of("ping", 1))) {
      Loop loop = loops.get(0);
      Context context = on(loop, () -> provider.open(loop, device.name()));
      if (arguments[0].equals("serve")) {
        serve(context, address, count, Integer.parseInt(arguments[3]));
      } else {
        for (int i = 3; i < arguments.length; i++) {
          ping(context, address, count, Integer.parseInt(arguments[i]));
        }
      }
      on(loop, () -> {
        context.close();
        return true;
      });
    }
  }

  private static void serve(Context context, InetSocketAddress address, int clients, int rounds) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    PingServer server = on(context.loop(), () -> new PingServer(context, address, new PingServer.Listener() {
      private int left = clients;

      @Override
      public void onEnd(InetSocketAddress client, int served, Status reason, String text) {
        System.out.println(client + ": " + served + " rounds, " + reason + " " + text);
        if (served != rounds) {
          done.completeExceptionally(new IllegalStateException(served + " rounds, not " + rounds + ": " + text));
        } else if (--left == 0) {
          done.complete(true);
        }
      }
    }));
    System.out.println("ready: " + server.localAddress());
    await(done);
    on(context.loop(), () -> {
      server.close();
      return true;
    });
  }

  private static void ping(Context context, InetSocketAddress address, int rounds, int bytes) {
    CompletableFuture<String> done = new CompletableFuture<>();
    PingClient client = on(context.loop(), () -> new PingClient(context, address, rounds, bytes, (status, text) -> {
      if (status.isOk()) {
        done.complete(text);
      } else {
        done.completeExceptionally(new IllegalStateException(status + ": " + text));
      }
    }));
    System.out.println(await(done));
    // It closes itself, but may not have come to that yet.
    on(context.loop(), () -> {
      client.close();
      return true;
    });
  }

  private static <T> T on(Loop loop, Supplier<T> task) {
    return await(CompletableFuture.supplyAsync(task, loop));
  }

  private static <T> T await(CompletableFuture<T> done) {
    return done.orTimeout(SECONDS, TimeUnit.SECONDS).join();
  }
}
