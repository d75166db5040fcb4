package io.remora.verbs.tck;

import io.remora.base.Loop;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Where the conformance kit runs: a provider, and two loops on which its devices are opened, each as an end of its own. */
public interface Fabric extends AutoCloseable {
  /** The provider under test. */
  Provider provider();

  /** The device of end {@code end}, 0 or 1. */
  String device(int end);

  /** The loop of end {@code end}. */
  Loop loop(int end);

  /** An address at which end {@code end} can listen, port 0. */
  InetSocketAddress address(int end);

  /** Runs {@code task} on the loop of end {@code end} and waits for it. */
  <T> T on(int end, Supplier<T> task);

  /** Waits until {@code condition}, asked on the loop of end {@code end}, holds. */
  void await(int end, String what, BooleanSupplier condition);

  /** Whether a queue that was armed for any completion can be armed for solicited ones instead: a device knows no way back. */
  default boolean takesNotificationsBack() {
    return !provider().name().equals("ibverbs");
  }

  /** Lets everything happen that is under way. */
  void settle();

  @Override
  void close();

  /** The same for a task without a result. */
  default void run(int end, Runnable task) {
    on(end, () -> {
      task.run();
      return true;
    });
  }
}
