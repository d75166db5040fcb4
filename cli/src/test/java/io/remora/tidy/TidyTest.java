package io.remora.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a compiler does not see: banned words with their replacement, names, stray files, titles. */
class TidyTest {
  private static final Path ROOT = root();
  private static final int MAX_FILE_BYTES = 1 << 20;

  /** A pattern in Java sources, and what to use instead. */
  private static final Map<Pattern, String> BANNED = new LinkedHashMap<>();

  static {
    ban("\\b(TODO|FIXME|XXX|HACK)\\b", "finish it, or answer with a clear error");
    ban("@Disabled\\b|assumeTrue\\(false", "a test that cannot run says why with assumeTrue and a reason");
    ban("sun\\.misc\\.Unsafe|jdk\\.internal", "java.lang.foreign");
    ban("\\bByteBuffer\\.allocateDirect\\b", "MemorySegment and Arena");
    // "Connection manager" is what RDMA calls it.
    ban("(class|interface|record|enum) (?!\\w*ConnectionManager\\b)\\w*(Impl|Manager|Helper|Utils?)\\b",
        "a plain noun: STYLE.md, Names");
    ban("(class) Abstract\\w+", "a plain noun: STYLE.md, Names");
    ban("import static org\\.mockito", "a hand-written fake");
    ban("\\.printStackTrace\\(\\)", "the log, or let it rise");
  }

  @Test
  void sourcesHoldNothingThatIsBanned() {
    List<String> found = new ArrayList<>();
    for (Path file : files(".java")) {
      if (file.endsWith("TidyTest.java") || file.endsWith("ArchitectureTest.java")) {
        continue;
      }
      List<String> lines = lines(file);
      for (int i = 0; i < lines.size(); i++) {
        for (Map.Entry<Pattern, String> ban : BANNED.entrySet()) {
          if (ban.getKey().matcher(lines.get(i)).find()) {
            found.add(at(file, i) + ": '" + lines.get(i).strip() + "': use " + ban.getValue());
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void testsDoNotSleep() {
    assertThat(matches(".java", "Thread\\.sleep\\(", path -> path.toString().contains("/base/src/test/")
        || path.toString().contains("/block/src/test/") || path.toString().contains("/nvme/src/test/"))).isEmpty();
  }

  @Test
  void everyPackageSaysWhatItIsFor() {
    List<String> missing = new ArrayList<>();
    for (Path file : files(".java")) {
      Path folder = file.resolveSibling("");
      if (!file.endsWith("module-info.java") && folder.toString().contains("/src/main/java/")
          && !Files.exists(folder.resolve("package-info.java"))) {
        missing.add(ROOT.relativize(folder) + " has no package-info.java");
      }
    }
    assertThat(missing.stream().distinct()).isEmpty();
  }

  @Test
  void documentsBeginWithATitle() {
    List<String> found = new ArrayList<>();
    for (Path file : files(".md")) {
      if (lines(file).isEmpty() || !lines(file).getFirst().startsWith("# ")) {
        found.add(ROOT.relativize(file) + " does not begin with '# '");
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void linksInDocumentsLeadSomewhere() {
    List<String> found = new ArrayList<>();
    Pattern link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");
    for (Path file : files(".md")) {
      List<String> lines = lines(file);
      for (int i = 0; i < lines.size(); i++) {
        var matcher = link.matcher(lines.get(i));
        while (matcher.find()) {
          if (!Files.exists(file.resolveSibling(matcher.group(1)))) {
            found.add(at(file, i) + ": there is no " + matcher.group(1));
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void noLargeFiles() {
    List<String> found = new ArrayList<>();
    for (Path file : files("")) {
      if (size(file) > MAX_FILE_BYTES) {
        found.add(ROOT.relativize(file) + " has " + size(file) + " bytes");
      }
    }
    assertThat(found).isEmpty();
  }

  private static void ban(String pattern, String replacement) {
    BANNED.put(Pattern.compile(pattern), replacement);
  }

  private static List<String> matches(String ending, String pattern, java.util.function.Predicate<Path> which) {
    Pattern compiled = Pattern.compile(pattern);
    List<String> found = new ArrayList<>();
    for (Path file : files(ending)) {
      List<String> lines = which.test(file) ? lines(file) : List.of();
      for (int i = 0; i < lines.size(); i++) {
        if (compiled.matcher(lines.get(i)).find()) {
          found.add(at(file, i) + ": " + lines.get(i).strip());
        }
      }
    }
    return found;
  }

  private static List<Path> files(String ending) {
    try (Stream<Path> all = Files.walk(ROOT)) {
      return all.filter(Files::isRegularFile).filter(path -> path.toString().endsWith(ending))
          .filter(path -> !isBuilt(ROOT.relativize(path))).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isBuilt(Path path) {
    for (Path part : path) {
      String name = part.toString();
      if (name.equals("target") || name.equals(".git") || name.equals(".cache") || name.equals(".idea")) {
        return true;
      }
    }
    return false;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String at(Path file, int line) {
    return ROOT.relativize(file) + ":" + (line + 1);
  }

  private static Path root() {
    Path path = Path.of("").toAbsolutePath();
    while (!Files.exists(path.resolve("STYLE.md"))) {
      path = java.util.Objects.requireNonNull(path.getParent(), "not inside the source tree");
    }
    return path;
  }
}
