package io.remora.nvme.target;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Deals connections to loops so that each loop serves as many I/O queues as the others: first of the host that comes, then of all hosts;
 * in turn where that leaves a choice. Belongs to the loop that accepts.
 *
 * <p>What a connection carries is known when it has come to Connect. Until then it counts as an I/O queue; an admin queue, which
 * has next to nothing to do, counts no more from then on. Dealing in plain turn would put the I/O queues of hosts that have one each
 * beside one another: admin, I/O, admin, I/O.
 */
public final class LoopSeats {
  private final Loop home;
  private final List<Loop> loops;
  private final int[] taken;
  private final Map<InetAddress, int[]> takenByHost = new HashMap<>();
  private int next;

  /** Seats on {@code loops}, dealt on {@code home}. */
  public LoopSeats(Loop home, List<Loop> loops) {
    this.home = home;
    this.loops = loops;
    this.taken = new int[loops.size()];
  }

  /** A place on a loop for one connection, on which the connection then lives. */
  public final class Seat {
    private final InetAddress host;
    private final int index;
    private boolean left;

    private Seat(InetAddress host, int index) {
      this.host = host;
      this.index = index;
    }

    /** Where the connection lives. */
    public Loop loop() {
      return loops.get(index);
    }

    /** The connection is an admin queue's, or has ended. On its loop; further calls do nothing. */
    public void leave() {
      if (left) {
        return;
      }
      left = true;
      try {
        home.execute(() -> free(host, index));
      } catch (RemoraException e) {
        // Its loop has ended: nobody takes seats any more.
      }
    }
  }

  /** A seat for a connection of {@code host}. */
  public Seat take(InetAddress host) {
    int[] ofHost = takenByHost.computeIfAbsent(host, _ -> new int[taken.length]);
    int best = next;
    for (int i = 1; i < taken.length; i++) {
      int index = (next + i) % taken.length;
      if (ofHost[index] < ofHost[best] || (ofHost[index] == ofHost[best] && taken[index] < taken[best])) {
        best = index;
      }
    }
    next = (best + 1) % taken.length;
    ofHost[best]++;
    taken[best]++;
    return new Seat(host, best);
  }

  private void free(InetAddress host, int index) {
    taken[index]--;
    int[] ofHost = takenByHost.get(host);
    if (ofHost != null) {
      ofHost[index]--;
      int left = 0;
      for (int each : ofHost) {
        left += each;
      }
      if (left == 0) {
        takenByHost.remove(host);
      }
    }
  }
}
