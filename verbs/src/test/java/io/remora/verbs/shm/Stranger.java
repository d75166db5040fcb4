package io.remora.verbs.shm;

import static io.remora.verbs.tck.NativeCall.call;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A process of another user, which asks no Remora but the kernel:
 *
 * <ul>
 * <li>{@code provider PORT}: connects as a program does that uses the provider. Prints what it hears.
 * <li>{@code hello NAME}, {@code datagram NAME NUMBER}: connects to a name and sends what makes sense there. Prints how many bytes it could send, and what it is answered.
 * <li>{@code take NAME}: takes the name, prints {@code taken}, and then how many bytes the first sends that connects.
 * <li>{@code look PROCESS}: prints how many of the process's descriptors, and of its memory, can be opened.
 * </ul>
 */
final class Stranger {
  private static final int SEQPACKET = 5;
  private static final int BUFFER_BYTES = 8192;

  private Stranger() {}

  /** See the class. */
  public static void main(String[] args) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      switch (args[0]) {
        case "provider" -> {
          provider(Integer.parseInt(args[1]));
          return;
        }
        case "hello" -> {
          MemorySegment message = arena.allocate(BUFFER_BYTES, 8);
          InetSocketAddress from = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
          int length = new Hello(Hello.REQUEST, QueuePairType.UD, 4711, 1, 1, from, MemorySegment.NULL).write(message);
          send(arena, args[1], message, length);
        }
        case "datagram" -> {
          MemorySegment message = arena.allocate(BUFFER_BYTES, 8);
          message.set(JAVA_INT, 0, DatagramQueuePair.QUEUE_KEY);
          message.set(JAVA_INT, 12, Integer.parseInt(args[2]));
          send(arena, args[1], message, DatagramQueuePair.HEADER_BYTES + 8);
        }
        case "take" -> take(arena, args[1]);
        case "look" -> System.out.println("opened " + look(Long.parseLong(args[1])));
        default -> throw new IllegalArgumentException(args[0]);
      }
    }
    Runtime.getRuntime().halt(0);
  }

  private static void provider(int port) throws IOException {
    Loops loops = Loops.start(Loops.Config.of("stranger", 1));
    Loop loop = loops.get(0);
    loop.execute(() -> {
      Context context = new ShmProvider().open(loop, ShmProvider.DEVICE);
      CmId[] id = new CmId[1];
      id[0] = context.connectionManager().resolve(new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
          QueuePairType.UD, new CmId.Handler() {
            @Override
            public void onResolved() {
              id[0].createQueuePair(context.allocateProtectionDomain(),
                  QueuePairConfig.rc(context.createCompletionQueue(16, () -> {}), 4, 4).withType(QueuePairType.UD));
              id[0].connect(CmId.Parameters.DEFAULT);
            }

            @Override
            public void onEstablished(CmId.Established connection) {
              System.out.println("established");
            }

            @Override
            public void onFailed(Status reason, String text) {
              System.out.println(reason + ": " + text);
            }

            @Override
            public void onDisconnected(Status reason, String text) {
              System.out.println("disconnected");
            }
          });
    });
    try {
      while (System.in.read() >= 0) {
        // Nothing is said; the end matters.
      }
    } finally {
      loops.close();
    }
  }

  private static void send(Arena arena, String name, MemorySegment message, int length) {
    int socket = (int) call("socket", JAVA_INT, List.of(JAVA_INT, JAVA_INT, JAVA_INT), 1, SEQPACKET, 0);
    int connected = (int) call("connect", JAVA_INT, List.of(JAVA_INT, ADDRESS, JAVA_INT), socket,
        address(arena, name), addressBytes(name));
    System.out.println(connected == 0 ? "connected" : "not connected");
    // With MSG_NOSIGNAL. What is sent before the other end has looked is not refused yet.
    call("send", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT), socket, message, (long) length, 0x4000);
    System.out.println("answered " + receive(socket, message));
  }

  private static void take(Arena arena, String name) {
    int socket = (int) call("socket", JAVA_INT, List.of(JAVA_INT, JAVA_INT, JAVA_INT), 1, SEQPACKET, 0);
    int bound = (int) call("bind", JAVA_INT, List.of(JAVA_INT, ADDRESS, JAVA_INT), socket, address(arena, name),
        addressBytes(name));
    call("listen", JAVA_INT, List.of(JAVA_INT, JAVA_INT), socket, 8);
    System.out.println(bound == 0 ? "taken" : "not taken");
    int from = (int) call("accept", JAVA_INT, List.of(JAVA_INT, ADDRESS, ADDRESS), socket, MemorySegment.NULL,
        MemorySegment.NULL);
    System.out.println("heard " + receive(from, arena.allocate(BUFFER_BYTES)));
  }

  /** Bytes, or no more than 0 at the end or after a failure. */
  private static long receive(int socket, MemorySegment into) {
    return Math.max(0, call("recv", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT), socket, into,
        into.byteSize(), 0));
  }

  private static MemorySegment address(Arena arena, String name) {
    MemorySegment address = arena.allocate(128, 8);
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    address.set(JAVA_SHORT, 0, (short) 1);
    MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 3, bytes.length);
    return address;
  }

  private static int addressBytes(String name) {
    return 3 + name.length();
  }

  /** How much of a process's shared memory, and whether its whole memory, can be opened by way of what the kernel shows of it. */
  static int look(long process) {
    int opened = 0;
    for (String folder : List.of("fd", "map_files")) {
      try (Stream<Path> all = Files.list(Path.of("/proc/" + process, folder))) {
        opened += (int) all.filter(Stranger::opensShared).count();
      } catch (IOException | java.io.UncheckedIOException e) {
        // Not even a list.
      }
    }
    return opened + (opens(Path.of("/proc/" + process, "mem")) ? 1 : 0);
  }

  private static boolean opensShared(Path link) {
    try {
      return Files.readSymbolicLink(link).toString().contains("memfd:remora") && opens(link);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean opens(Path path) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.isOpen();
    } catch (IOException e) {
      return false;
    }
  }
}
