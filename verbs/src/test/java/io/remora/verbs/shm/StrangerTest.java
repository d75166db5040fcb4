package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A process of another user: it cannot connect, cannot pass for one of this user's, and sees no memory. Only root can start one. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StrangerTest {
  /** Nobody, by convention. */
  private static final List<String> AS_ANOTHER = List.of("setpriv", "--reuid", "65534", "--regid", "65534",
      "--clear-groups");

  private static final String SOMETHING = "(answered|heard) [1-9][0-9]*";
  private static final int PORT = 45_678;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private Loops loops;
  @SuppressWarnings("NullAway.Init")
  private ThisEnd end;
  private String classes = "";

  @BeforeAll
  void start() throws IOException {
    loops = Loops.start(Loops.Config.of("this", 1));
    assumeTrue(loops.get(0).local().user() == 0, "only root can start a process of another user");
    classes = readableByAll();
    try {
      List<String> command = new ArrayList<>(AS_ANOTHER);
      command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-version"));
      Process version = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(version.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assumeTrue(version.waitFor() == 0, "another user cannot run this Java: " + said.strip());
    } catch (IOException e) {
      abort("no process of another user: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The class path, where every user can read it. */
  private static String readableByAll() throws IOException {
    List<String> entries = new ArrayList<>();
    for (String entry : OtherProcess.classPath().split(File.pathSeparator)) {
      Path from = Path.of(entry);
      if (Files.exists(from)) {
        Path to = folder.resolve(entries.size() + (Files.isDirectory(from) ? "" : ".jar"));
        copy(from, to);
        entries.add(to.toString());
      }
    }
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    return String.join(File.pathSeparator, entries);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = path.equals(from) ? to : to.resolve(from.relativize(path).toString());
        Files.copy(path, target);
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }
  }

  @AfterAll
  void stop() {
    loops.close();
  }

  @BeforeEach
  void open() {
    end = new ThisEnd(loops);
  }

  @AfterEach
  void close() {
    end.close();
  }

  private OtherProcess stranger(String... arguments) {
    return OtherProcess.start(AS_ANOTHER, classes, Stranger.class, arguments);
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  @Test
  void cannotConnect() {
    AtomicInteger requests = new AtomicInteger();
    CmListener listener = end.on(
        () -> end.context.connectionManager().listen(loopback(0), QueuePairType.UD, request -> {
          requests.incrementAndGet();
          request.reject(java.lang.foreign.MemorySegment.NULL);
        }));
    int port = listener.localAddress().getPort();
    try {
      // As a program that keeps to the rules, it does not even find it.
      try (OtherProcess other = stranger("provider", String.valueOf(port))) {
        assertThat(other.line()).contains("no process of this user listens at");
      }
      // By the listener's own name, the kernel connects it, and the listener turns it away.
      String name = ShmNames.listener(end.loop.local(), QueuePairType.UD, listener.localAddress());
      try (OtherProcess other = stranger("hello", name)) {
        assertThat(other.line()).isEqualTo("connected");
        assertThat(other.line()).isEqualTo("answered 0");
      }
      assertThat(requests).hasValue(0);
      // The same, of this user, is a request.
      try (OtherProcess other = OtherProcess.start(Stranger.class, "hello", name)) {
        assertThat(other.line()).isEqualTo("connected");
        assertThat(other.line()).matches(SOMETHING);
      }
      assertThat(requests).hasValue(1);
    } finally {
      end.run(listener::close);
    }
  }

  @Test
  void whoTakesTheNameOfAListenerHearsNothing() {
    String name = ShmNames.listener(end.loop.local(), QueuePairType.RC, loopback(PORT));
    try (OtherProcess other = stranger("take", name)) {
      assertThat(other.line()).isEqualTo("taken");
      end.begin(PORT, QueuePairType.RC);
      end.await("the end", () -> end.ended != null);
      assertThat(end.ended).as(end.endText).isEqualTo(Status.DENIED);
      assertThat(other.line()).isEqualTo("heard 0");
    }
    end.hangUp();
    // The same, of this user, is told what it needs to answer.
    try (OtherProcess other = OtherProcess.start(Stranger.class, "take", name)) {
      assertThat(other.line()).isEqualTo("taken");
      end.begin(PORT, QueuePairType.RC);
      assertThat(other.line()).matches(SOMETHING);
    }
  }

  @Test
  void datagramsNeitherComeFromItNorGoToIt() {
    try (OtherProcess echo = OtherProcess.start(DatagramPeer.class)) {
      end.connect(echo.port(), QueuePairType.UD);
      CmId.Established way = Objects.requireNonNull(end.established);
      int number = end.queuePair().number();
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(1).piece(end.region, 8192, 4096 + 40)));
      String mine = ShmNames.datagrams(end.loop.local(), number);
      try (OtherProcess other = stranger("datagram", mine, "4711")) {
        assertThat(other.line()).isEqualTo("connected");
        assertThat(other.line()).isEqualTo("answered 0");
      }
      // What takes the receive is what another process of this user sends.
      end.post(datagram(way, way.queuePair()));
      end.ok(2);
      ThisEnd.Completion first = end.ok(1);
      assertThat(first.source()).isEqualTo(way.queuePair());
      // The receiver dies, and another user takes its name.
      echo.kill();
      try (OtherProcess other = stranger("take", ShmNames.datagrams(end.loop.local(), way.queuePair()))) {
        assertThat(other.line()).isEqualTo("taken");
        for (int i = 0; i < 2; i++) {
          end.post(datagram(way, way.queuePair()));
          end.ok(2);
        }
        assertThat(other.line()).isEqualTo("heard 0");
      }
      // When another process of this user has the name, it hears the next, without a word of the one before.
      try (OtherProcess other = OtherProcess.start(Stranger.class, "take",
          ShmNames.datagrams(end.loop.local(), way.queuePair()))) {
        assertThat(other.line()).isEqualTo("taken");
        end.post(datagram(way, way.queuePair()));
        end.ok(2);
        assertThat(other.line()).isEqualTo("heard " + (DatagramQueuePair.HEADER_BYTES + 8));
      }
      assertThat(end.queuePair().state()).isEqualTo(QueuePairState.READY_TO_SEND);
    }
  }

  private SendRequest datagram(CmId.Established way, int number) {
    end.run(() -> end.memory.set(JAVA_LONG, 0, 42));
    return new SendRequest().id(2).piece(end.region, 0, 8).to(Objects.requireNonNull(way.destination()), number,
        way.queueKey());
  }

  @Test
  void seesNoMemory() {
    String process = String.valueOf(ProcessHandle.current().pid());
    assertThat(Stranger.look(ProcessHandle.current().pid())).as("what there is to be seen").isGreaterThan(2);
    try (OtherProcess other = stranger("look", process)) {
      assertThat(other.line()).isEqualTo("opened 0");
    }
  }
}
