package io.remora.verbs.tck;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.verbs.Provider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Two real loops of this process. */
public final class RealFabric implements Fabric {
  private final Provider provider;
  private final String device;
  private final InetAddress address;
  private final long limitNs;
  private final Loops loops;

  /** At {@code address}, with {@code seconds} for everything that is waited for. */
  public RealFabric(Provider provider, String device, InetAddress address, int seconds) {
    this.provider = provider;
    this.device = device;
    this.address = address;
    this.limitNs = seconds * 1_000_000_000L;
    this.loops = Loops.start(Loops.Config.of("tck", 2));
  }

  /** On the loopback. */
  public static RealFabric local(Provider provider, String device) {
    return new RealFabric(provider, device, InetAddress.getLoopbackAddress(), 20);
  }

  @Override
  public Provider provider() {
    return provider;
  }

  @Override
  public String device(int end) {
    return device;
  }

  @Override
  public Loop loop(int end) {
    return loops.get(end);
  }

  @Override
  public InetSocketAddress address(int end) {
    return new InetSocketAddress(address, 0);
  }

  @Override
  public <T> T on(int end, Supplier<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop(end).execute(() -> {
      try {
        done.complete(task.get());
      } catch (Throwable e) {
        done.completeExceptionally(e);
      }
    });
    try {
      return done.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw e;
    }
  }

  @Override
  public void await(int end, String what, BooleanSupplier condition) {
    long giveUp = System.nanoTime() + limitNs;
    while (!on(end, condition::getAsBoolean)) {
      if (System.nanoTime() - giveUp > 0) {
        throw new AssertionError("waited in vain for " + what);
      }
      Thread.onSpinWait();
    }
  }

  @Override
  public void settle() {
    for (int i = 0; i < 50; i++) {
      run(i & 1, () -> {});
    }
  }

  @Override
  public void close() {
    loops.close();
  }
}
