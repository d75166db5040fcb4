package io.remora.cli.matrix;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One measurement of the matrix.
 *
 * @param sampling where the load runs: {@code process}: in the process that has the device, without a transport; {@code host}: in another process of this machine
 * @param transport what carries it: {@code tcp}, or an RDMA provider; {@code none} in the same process
 * @param rw which operations, in fio's words
 * @param blockBytes of each
 * @param ioDepth requests in flight per loop
 * @param loops of the load, and of the target
 * @param ends what both ends do when there is nothing to do
 */
public record Cell(String sampling, String transport, String rw, int blockBytes, int ioDepth, int loops,
    Ends ends) {
  /** In the process that has the device. */
  public static final String PROCESS = "process";
  /** In another process of this machine. */
  public static final String HOST = "host";

  ObjectNode write(ObjectNode node) {
    return ends.write(node.put("sampling", sampling).put("transport", transport).put("rw", rw).put("bs", blockBytes)
        .put("iodepth", ioDepth).put("loops", loops));
  }

  static Cell read(JsonNode node) {
    return new Cell(node.path("sampling").asText(), node.path("transport").asText(), node.path("rw").asText(),
        node.path("bs").asInt(),
        node.path("iodepth").asInt(), node.path("loops").asInt(),
        Ends.read(node));
  }

  /** The same with other ends. */
  Cell with(Ends other) {
    return new Cell(sampling, transport, rw, blockBytes, ioDepth, loops, other);
  }

  /** What it has in common with the cells of other transports. */
  Cell without() {
    return new Cell("", "", rw, blockBytes, ioDepth, loops, ends);
  }

  @Override
  public String toString() {
    return rw + " " + blockBytes + " B, depth " + ioDepth + ", " + loops + (loops == 1 ? " loop, " : " loops, ")
        + (sampling.equals(PROCESS) ? "in the process" : transport) + ", " + ends;
  }
}
