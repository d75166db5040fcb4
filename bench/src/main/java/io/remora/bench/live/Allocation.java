package io.remora.bench.live;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** What the threads of another JVM allocate, by its flight recorder ({@code jdk.ThreadAllocationStatistics}). */
final class Allocation {
  private final Path jcmd;
  private final long pid;
  private final Path folder;

  Allocation(long pid, Path folder) {
    this.jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    this.pid = pid;
    this.folder = folder;
  }

  /** Begins to record, once a second. */
  void start() throws IOException {
    Path settings = folder.resolve("allocation.jfc");
    Files.writeString(settings, """
        <?xml version="1.0" encoding="UTF-8"?>
        <configuration version="2.0">
          <event name="jdk.ThreadAllocationStatistics">
            <setting name="enabled">true</setting>
            <setting name="period">1 s</setting>
          </event>
        </configuration>
        """);
    run("JFR.start", "name=allocation", "settings=" + settings);
  }

  /**
   * Ends the recording. Gives bytes per second of each thread whose name begins with {@code prefix} in the second half of what was recorded:
   * compilers have come to rest then.
   */
  Map<String, Double> stop(String prefix) throws IOException {
    Path recording = folder.resolve("allocation.jfr");
    run("JFR.stop", "name=allocation", "filename=" + recording);
    List<RecordedEvent> events = RecordingFile.readAllEvents(recording);
    Map<String, Double> rates = new HashMap<>();
    events.stream().map(event -> event.getThread("thread").getJavaName())
        .filter(name -> name != null && name.startsWith(prefix)).distinct().forEach(name -> {
          List<RecordedEvent> own = events.stream()
              .filter(event -> name.equals(event.getThread("thread").getJavaName()))
              .sorted(Comparator.comparing(RecordedEvent::getStartTime)).toList();
          RecordedEvent from = own.get(own.size() / 2);
          RecordedEvent to = own.getLast();
          double seconds = Duration.between(from.getStartTime(), to.getStartTime()).toNanos() / 1e9;
          rates.put(name, seconds == 0 ? Double.NaN : (to.getLong("allocated") - from.getLong("allocated")) / seconds);
        });
    return rates;
  }

  private void run(String... command) throws IOException {
    List<String> all = new ArrayList<>(List.of(jcmd.toString(), Long.toString(pid)));
    all.addAll(List.of(command));
    Process asked = new ProcessBuilder(all).redirectErrorStream(true)
        .redirectOutput(folder.resolve("jcmd.log").toFile()).start();
    if (NodeProcess.join(asked) != 0) {
      throw new IllegalStateException("jcmd failed: " + Files.readString(folder.resolve("jcmd.log")));
    }
  }
}
