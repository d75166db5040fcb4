package io.remora.cli;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a command that runs until it is told to stop (SIGTERM, SIGINT, SIGHUP) stop in order, and end with exit code 0. Made by the
 * command's thread before it says that it is ready.
 */
final class Ending {
  private static final long LIMIT_S = 30;

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch done = new CountDownLatch(1);

  Ending() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::end, "ending"));
  }

  /** Waits until the process is asked to end. */
  void await() throws InterruptedException {
    asked.await();
  }

  /** Asks for the end, as a signal does. */
  void ask() {
    asked.countDown();
  }

  /** Asks for the end when standard input ends: the one who started this process has gone, however that came about. */
  void askWhenStdinEnds() {
    Thread.ofVirtual().start(() -> {
      try {
        while (System.in.read() >= 0) {
          // Only its end matters.
        }
      } catch (IOException e) {
        // As good as its end.
      }
      ask();
    });
  }

  /** Everything is put away: the process may end. */
  void done() {
    done.countDown();
  }

  private void end() {
    boolean signal = asked.getCount() > 0;
    asked.countDown();
    try {
      if (!done.await(LIMIT_S, TimeUnit.SECONDS)) {
        Runtime.getRuntime().halt(Remora.FAILED);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (signal) {
      // Without this the exit code would be the signal's, as of a process that was cut off.
      Runtime.getRuntime().halt(0);
    }
  }
}
