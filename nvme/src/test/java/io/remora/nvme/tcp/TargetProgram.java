package io.remora.nvme.tcp;

import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import java.io.IOException;
import java.lang.foreign.Arena;

/** A target on a device in memory, for trying real hosts by hand: {@code TargetProgram ADDR:PORT LOOPS MIB}. Ends with its input. */
final class TargetProgram {
  private TargetProgram() {}

  public static void main(String[] args) throws IOException {
    int count = Integer.parseInt(args[1]);
    long bytes = Long.parseLong(args[2]) << 20;
    try (Loops loops = Loops.start(Loops.Config.of("target", count)); Arena arena = Arena.ofShared()) {
      Target target = new Target(TargetConfig.DEFAULT);
      Subsystem subsystem = target.addSubsystem(Subsystem.Config.of("nqn.2024-01.test:disk"));
      subsystem.allowAnyHost(true);
      target.addSubsystem(Subsystem.Config.of("nqn.2024-01.test:closed"));
      TestDevice device = new TestDevice(arena, 512, bytes);
      device.recording = false;
      subsystem.addNamespace(1, device);
      TargetListener listener = TcpTarget.listen(loops.all(), Addresses.parse(args[0]), target).join();
      System.out.println("ready at " + Addresses.format(listener.localAddress()));
      int command;
      while ((command = System.in.read()) >= 0) {
        switch (command) {
          case 'g' -> device.resize(device.sizeBytes() + (1 << 20));
          case 'a' -> subsystem.addNamespace(2, new TestDevice(arena, 4096, 8 << 20));
          case 'r' -> subsystem.removeNamespace(2).join();
          case 'd' -> subsystem.allowAnyHost(false);
          case 'c' -> System.out.println(subsystem.connections() + " " + subsystem.namespaces().getFirst().counts());
          default -> {
          }
        }
      }
      listener.close();
      target.close().join();
      System.out.println("closed");
    }
  }
}
