package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Every command that the documents and the help texts show is one, with options that it has. */
class DocumentedCommandsTest {
  private static final Path TREE = Path.of("..");
  private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");
  private static final Pattern EXAMPLE = Pattern.compile("^(?:Examples?:|First steps:)?\\s*remora (.*)");

  /** The commands of code blocks, with where they stand. */
  static Stream<String> documented() throws IOException {
    List<String> found = new ArrayList<>();
    for (String file : List.of("README.md", "CONTRIBUTING.md", "verbs/README.md", "docs/user/rdma.md")) {
      boolean code = false;
      for (String line : Files.readString(TREE.resolve(file)).replace("\\\n", " ").split("\n")) {
        if (line.startsWith("```")) {
          code = !code;
        } else if (code) {
          for (String command : line.replaceAll("\\s#.*", "").split("&&?")) {
            if (command.strip().startsWith("./remora ")) {
              found.add(file + ": " + command.strip().substring("./remora ".length()));
            }
          }
        }
      }
    }
    assertThat(found).hasSizeGreaterThan(15);
    return found.stream();
  }

  /** The examples of the help texts. */
  static Stream<String> helped() {
    List<String> found = new ArrayList<>();
    collect(new CommandLine(new Remora()), found);
    assertThat(found).hasSizeGreaterThan(15);
    return found.stream();
  }

  private static void collect(CommandLine command, List<String> found) {
    String name = command.getCommandSpec().qualifiedName();
    String footer = String.join("\n", command.getCommandSpec().usageMessage().footer()).replaceAll("\\\\\n\\s*", " ");
    for (String line : footer.split("[\n|]|&&")) {
      Matcher example = EXAMPLE.matcher(line.strip());
      if (example.matches() && !example.group(1).startsWith("COMMAND")) {
        // Behind it there may be a remark.
        found.add(name + ": " + example.group(1).replaceAll("\\s{2,}.*", "").replace("...", "x"));
      }
    }
    command.getSubcommands().values().forEach(each -> collect(each, found));
  }

  @ParameterizedTest
  @MethodSource({"documented", "helped"})
  void parses(String where) {
    List<String> words = words(where.substring(where.indexOf(": ") + 2));
    CommandLine line = new CommandLine(new Remora());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExpandAtFiles(false);
    assertThatCode(() -> line.parseArgs(words.toArray(String[]::new))).doesNotThrowAnyException();
    words.stream().filter(word -> word.startsWith("nvmf+") && word.contains("/nqn"))
        .forEach(uri -> assertThatCode(() -> DeviceUri.parse(uri)).doesNotThrowAnyException());
  }

  private static List<String> words(String command) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(command);
    while (matcher.find()) {
      words.add(Stream.of(matcher.group(1), matcher.group(2), matcher.group(3)).filter(word -> word != null).findFirst()
          .orElseThrow());
    }
    return words;
  }
}
