package io.remora.nvme.target;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.nvme.NvmeStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The namespaces of one subsystem, ready for I/O from one loop, to which it belongs. It follows the subsystem's view: each lookup compares
 * the view that it was made from with the current one.
 */
final class NamespaceTable {
  private final Subsystem subsystem;
  private final Loop loop;
  private @Nullable NamespaceChannel[] channels = new NamespaceChannel[2];
  private Subsystem.@Nullable View seen;
  private final List<NamespaceChannel> retired = new ArrayList<>();
  private int ioStatus;

  NamespaceTable(Subsystem subsystem, Loop loop) {
    this.subsystem = subsystem;
    this.loop = loop;
  }

  /** The channel of namespace {@code id}, an unsigned number; null when there is none that can be used. */
  @Nullable
  NamespaceChannel lookup(int id) {
    Subsystem.View now = subsystem.now();
    if (now != seen) {
      follow(now);
    }
    return id > 0 && id < channels.length ? channels[id] : null;
  }

  /** What I/O is answered for reasons of access; success when it may go on. After {@link #lookup}. */
  int ioStatus() {
    return ioStatus;
  }

  /** Lets {@code namespace}, which is not in the view any more, go, and runs {@code then} when it is not used any more. */
  void release(Namespace namespace, Runnable then) {
    follow(subsystem.now());
    for (NamespaceChannel channel : retired) {
      if (channel.namespace == namespace) {
        channel.close(() -> {
          retired.remove(channel);
          then.run();
        });
        return;
      }
    }
    then.run();
  }

  /** Has the writes that {@code namespace} has held up here try again, also when it is not offered any more. */
  void resumeWrites(Namespace namespace) {
    int id = namespace.id();
    NamespaceChannel current = id < channels.length ? channels[id] : null;
    if (current != null && current.namespace == namespace) {
      current.resume();
    }
    for (NamespaceChannel channel : List.copyOf(retired)) {
      if (channel.namespace == namespace) {
        channel.resume();
      }
    }
  }

  /** Lets all namespaces go. */
  void close(Runnable eachThen) {
    for (NamespaceChannel channel : channels) {
      if (channel != null) {
        channel.close(eachThen);
      }
    }
    for (NamespaceChannel channel : retired) {
      channel.close(eachThen);
    }
    Arrays.fill(channels, null);
    retired.clear();
  }

  /** How many namespaces it holds open. */
  int count() {
    int count = retired.size();
    for (NamespaceChannel channel : channels) {
      count += channel == null ? 0 : 1;
    }
    return count;
  }

  /** Opens what is new. What is gone is retired until {@link #release}, which whoever removed it has posted to each loop. */
  private void follow(Subsystem.View now) {
    seen = now;
    ioStatus = now.ana().ioStatus();
    if (!now.namespaces().isEmpty() && now.namespaces().lastKey() >= channels.length) {
      channels = Arrays.copyOf(channels, now.namespaces().lastKey() + 1);
    }
    for (int id = 0; id < channels.length; id++) {
      NamespaceChannel channel = channels[id];
      if (channel != null && now.namespaces().get(id) != channel.namespace) {
        retired.add(channel);
        channels[id] = null;
      }
    }
    for (Namespace namespace : now.namespaces().values()) {
      if (channels[namespace.id()] == null) {
        open(namespace);
      }
    }
  }

  private void open(Namespace namespace) {
    try {
      channels[namespace.id()] = new NamespaceChannel(namespace, namespace.device().open(loop));
    } catch (RemoraException e) {
      System.getLogger(NamespaceTable.class.getName()).log(System.Logger.Level.WARNING,
          () -> subsystem.nqn() + ": namespace " + namespace.id() + " cannot be opened on " + loop.name() + ": "
              + e.getMessage() + " (status " + Integer.toHexString(NvmeStatus.of(e.status(), false)) + ")");
    }
  }
}
