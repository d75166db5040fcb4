package io.remora.peers;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The class path of this build, for programs in the guest. Stateless. */
final class GuestClassPath {
  private GuestClassPath() {}

  /** Adds to the guest tool's {@code options} what shares the folders, and returns what the class path is called in the guest. */
  static String share(List<String> options) {
    String[] path = System.getProperty("java.class.path").split(File.pathSeparator);
    List<Path> roots = Arrays.stream(path).map(each -> root(Path.of(each))).distinct().toList();
    for (int i = 0; i < roots.size(); i++) {
      options.addAll(List.of("--share", roots.get(i) + ",at=/cp" + i));
    }
    return Arrays.stream(path).map(Path::of)
        .map(each -> "/cp" + roots.indexOf(root(each)) + "/" + root(each).relativize(each.toAbsolutePath()))
        .collect(Collectors.joining(":"));
  }

  /** The folder of many things of the class path: a repository, or the source tree. */
  private static Path root(Path entry) {
    Path root = entry.toAbsolutePath();
    while (root.getParent() != null && !root.endsWith("repository") && !Files.exists(root.resolve("STYLE.md"))) {
      root = root.getParent();
    }
    return root;
  }
}
