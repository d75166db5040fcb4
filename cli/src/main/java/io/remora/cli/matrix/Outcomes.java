package io.remora.cli.matrix;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is measured so far, in one round or several; kept in a folder, so that a matrix that was stopped goes on where it was. One thread.
 *
 * <p>A cell stands for the middle one of its rounds by operations per second, of those in which the processors were near to each other and others left them alone, if there are any: rounds with processors of different distance say
 * nothing of each other.
 */
public final class Outcomes {
  private static final int VERSION = 5;
  private static final String ROUNDS = "rounds";
  private static final String OTHER_ENDS = "other_ends";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final @Nullable Path folder;
  private final long deviceBytes;
  private final int readPercent;
  private final Map<Cell, List<Outcome>> byCell = new LinkedHashMap<>();

  private Outcomes(@Nullable Path folder, long deviceBytes, int readPercent) {
    this.folder = folder;
    this.deviceBytes = deviceBytes;
    this.readPercent = readPercent;
  }

  /**
   * Those that the folder has from earlier; null keeps nothing.
   *
   * @param deviceBytes the size of the device that is measured
   * @param readPercent the share of reads of mixed patterns
   * @throws RemoraException INVALID when the folder's are of another device or mix, UNSUPPORTED or CORRUPT when they cannot be read
   */
  public static Outcomes open(@Nullable Path folder, long deviceBytes, int readPercent) {
    Outcomes outcomes = new Outcomes(folder, deviceBytes, readPercent);
    Path file = folder == null ? null : folder.resolve("results.json");
    if (file != null && Files.exists(file)) {
      try {
        JsonNode root = MAPPER.readTree(file.toFile());
        if (root.path("version").asInt() != VERSION) {
          throw new RemoraException(Status.UNSUPPORTED,
              file + " is of version " + root.path("version") + ", not " + VERSION
                  + ": give another folder");
        }
        long knownBytes = root.path("size").asLong();
        int knownPercent = root.path("rwmixread").asInt();
        if (knownBytes != deviceBytes || knownPercent != readPercent) {
          throw new RemoraException(Status.INVALID, file + " is of a device of " + knownBytes + " bytes with "
              + knownPercent + " % reads, not " + deviceBytes + " bytes with " + readPercent
              + " %: give another folder");
        }
        root.path("results").forEach(node -> {
          Cell cell = Cell.read(node);
          outcomes.read(cell, node);
          node.path(OTHER_ENDS).forEach(other -> outcomes.read(cell.with(Ends.read(other)), other));
        });
      } catch (IOException e) {
        throw new RemoraException(Status.CORRUPT,
            "cannot read " + file + ": " + e.getMessage() + "; remove it or give another folder", e);
      }
    }
    return outcomes;
  }

  private void read(Cell cell, JsonNode node) {
    node.path(ROUNDS).forEach(round -> put(Outcome.read(cell, round)));
  }

  private void put(Outcome outcome) {
    byCell.computeIfAbsent(outcome.cell(), _ -> new ArrayList<>()).add(outcome);
  }

  /** In how many rounds {@code cell} was measured. */
  public int rounds(Cell cell) {
    return byCell.getOrDefault(cell, List.of()).size();
  }

  /** What each cell stands for, in the order in which they were measured first. */
  public List<Outcome> all() {
    return byCell.values().stream().map(Outcomes::middle).toList();
  }

  private static Outcome middle(List<Outcome> rounds) {
    List<Outcome> clean = rounds.stream().filter(Outcome::isClean).toList();
    List<Outcome> sorted = (clean.isEmpty() ? rounds : clean).stream().sorted(Comparator.comparingDouble(Outcome::iops))
        .toList();
    return sorted.get((sorted.size() - 1) / 2);
  }

  /** Adds one and keeps it. */
  public void add(Outcome outcome) {
    put(outcome);
    Path to = folder;
    if (to != null) {
      write(to, "results.json", text());
    }
  }

  /** The table and the charts, beside the results. */
  public void report() {
    Path to = folder;
    if (to != null) {
      write(to, "results.md", MatrixTable.markdown(all()));
      MatrixChart.charts(all()).forEach((name, svg) -> write(to, name, svg));
    }
  }

  /**
   * As one object with {@code results}, one for each work of each transport: what the cell stands for that was measured first, and its {@code rounds}; the same of cells that differ in nothing but what the ends do is in its {@code
   * other_ends}.
   */
  public ObjectNode json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode().put("version", VERSION).put("size", deviceBytes)
        .put("rwmixread", readPercent);
    ArrayNode list = root.putArray("results");
    Map<Cell, ObjectNode> firsts = new HashMap<>();
    byCell.forEach((cell, rounds) -> {
      ObjectNode first = firsts.get(cell.with(Ends.POLL));
      if (first == null) {
        ObjectNode made = cell.write(list.addObject());
        firsts.put(cell.with(Ends.POLL), made);
        write(made, rounds);
      } else {
        write(cell.ends().write(first.withArray(OTHER_ENDS).addObject()), rounds);
      }
    });
    return root;
  }

  private static void write(ObjectNode result, List<Outcome> rounds) {
    middle(rounds).write(result);
    ArrayNode each = result.putArray(ROUNDS);
    rounds.forEach(round -> round.write(each.addObject()));
  }

  private String text() {
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json());
    } catch (JsonProcessingException e) {
      throw new RemoraException(Status.INTERNAL, "results as JSON", e);
    }
  }

  private static void write(Path folder, String name, String text) {
    try {
      Files.createDirectories(folder);
      Path fresh = folder.resolve(name + ".new");
      Files.writeString(fresh, text);
      Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new RemoraException(Status.INVALID, "cannot write " + folder.resolve(name) + ": " + e.getMessage(), e);
    }
  }
}
