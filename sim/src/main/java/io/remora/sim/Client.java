package io.remora.sim;

import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostListener;
import io.remora.nvme.host.HostNamespace;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostState;
import io.remora.nvme.host.HostStatus;
import io.remora.nvme.tcp.HostTcp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A host that uses one volume, with several requests in flight on all its loops. Belongs to the simulation's thread. */
final class Client {
  private final World world;
  private final String name;
  private final VolumeModel model;
  private final SimMachine machine;
  private final List<Worker> workers = new ArrayList<>();
  private final List<BlockChannel> channels = new ArrayList<>();
  private HostController controller;
  private int budget;
  private long requests;

  /** Connects to the volume that is published as {@code options} say. */
  Client(World world, String name, VolumeModel model, SimMachine machine, HostOptions options) {
    this.world = world;
    this.name = name;
    this.model = model;
    this.machine = machine;
    CompletableFuture<HostController> connecting = HostController.connect(new HostTcp(),
        List.<Loop>copyOf(machine.loops()), options);
    this.controller = world.await(connecting, "connecting " + name);
    controller.addListener(new HostListener() {
      @Override
      public void onState(HostController of, HostStatus status) {
        world.trace().add(name, "%s %s", status.state(), status.text());
      }
    });
    for (int i = 0; i < world.shape().depth(); i++) {
      SimLoop loop = machine.loop(i % machine.loops().size());
      HostNamespace namespace = controller.namespaces().getFirst();
      BlockChannel channel = loop.call(() -> namespace.open(loop));
      channels.add(channel);
      workers.add(new Worker(this, world, loop, channel));
    }
  }

  String name() {
    return name;
  }

  VolumeModel model() {
    return model;
  }

  /** How many requests it has sent. */
  long requests() {
    return requests;
  }

  /** Sends {@code count} requests from now on, as they are answered. */
  void work(int count) {
    budget = count;
    workers.forEach(Worker::think);
  }

  /** Sends no more. */
  void rest() {
    budget = 0;
  }

  /** Whether all that it was to send has been sent. */
  boolean done() {
    return budget <= 0;
  }

  /** Whether all that it has sent was answered. */
  boolean idle() {
    return workers.stream().noneMatch(Worker::busy);
  }

  /** Whether it is connected. */
  boolean live() {
    return controller.status().state() == HostState.LIVE;
  }

  /** How the connection is, for messages. */
  String state() {
    return name + ": " + controller.status();
  }

  boolean wantsMore() {
    return budget > 0;
  }

  void sent() {
    budget--;
    requests++;
  }

  /** Takes in that the volume has become larger, when the controller has said so. */
  void noticeGrowth() {
    model.grow((int) (announcedBytes() / Stamp.BYTES));
  }

  /** The size that the controller announces. */
  long announcedBytes() {
    return controller.namespaces().isEmpty() ? 0 : controller.namespaces().getFirst().sizeBytes();
  }

  /** Reads every block and holds it against the model. */
  void readAll() {
    each(Op.READ);
  }

  /** Gives every block back. */
  void deallocateAll() {
    each(Op.DEALLOCATE);
  }

  /** Makes everything durable. */
  void flush() {
    workers.getFirst().does(Op.FLUSH, 0, 0);
    world.runUntil(this::idle, name + " flushes");
  }

  private void each(Op op) {
    int piece = Worker.MAX_BYTES / Stamp.BYTES;
    if (op == Op.DEALLOCATE) {
      // Whole clusters at once, so that they go.
      piece = world.shape().clusterBytes() / Stamp.BYTES * 2;
    }
    int next = 0;
    while (next < model.blockCount()) {
      for (Worker worker : workers) {
        if (next < model.blockCount()) {
          int count = Math.min(piece, model.blockCount() - next);
          worker.does(op, next, count);
          next += count;
        }
      }
      world.runUntil(this::idle, name + " does " + op + " everywhere");
    }
  }

  /** Disconnects in order. */
  void close() {
    for (int i = 0; i < channels.size(); i++) {
      BlockChannel channel = channels.get(i);
      ((SimLoop) channel.loop()).run(channel::close);
    }
    world.await(controller.close(), "closing " + name);
  }

  SimMachine machine() {
    return machine;
  }
}
