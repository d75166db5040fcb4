package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.PoolCommand.OnNode;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.PoolInfo;
import io.remora.engine.PublicationInfo;
import io.remora.engine.RdmaAddress;
import io.remora.engine.VolumeInfo;
import io.remora.engine.rpc.ControlClient;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora volume …}. */
@Command(name = "volume", description = "Make volumes and publish them to hosts.", subcommands = {
  VolumeCommand.Create.class, VolumeCommand.Listing.class, VolumeCommand.Show.class,
  VolumeCommand.Delete.class, VolumeCommand.Resize.class, VolumeCommand.Publish.class,
  VolumeCommand.Unpublish.class}, footer = {"",
    "Example:  remora volume create data --size 10GiB && remora volume publish data", ""})
final class VolumeCommand extends CommandGroup {
  private static final String VOLUME = "The volume: NAME, POOL/NAME or its UUID.";

  /** {@code remora volume create}. */
  @Command(name = "create", description = "Make a volume of exactly the given size.", footer = {"",
    "Example:  remora volume create data --size 10GiB", ""})
  static final class Create extends OnNode {
    @Parameters(paramLabel = "NAME", description = "The volume's name, unique in its pool.")
    String name;

    @Option(names = "--size", required = true, paramLabel = "SIZE", converter = Sizes.Converter.class, description = "Its size: 64MiB, 10g, ...")
    long sizeBytes;

    @Option(names = "--pool", paramLabel = "POOL", description = "Its pool; may be left out when there is only one.")
    @Nullable
    String pool;

    @Option(names = "--thick", description = "Reserve all of its space now; else it takes space as it is written.")
    boolean thick;

    @Override
    void run(Terminal terminal, ControlClient node) {
      String chosen = pool == null ? onlyPool(node.pools()) : pool;
      print(terminal, node.createVolume(chosen, name, UUID.randomUUID(), sizeBytes, thick), "created");
    }

    private static String onlyPool(List<PoolInfo> pools) {
      if (pools.size() == 1) {
        return pools.getFirst().name();
      }
      throw new RemoraException(Status.INVALID,
          pools.isEmpty()
              ? "there is no pool yet: make one with 'remora pool create'"
              : "there are " + pools.size() + " pools: say which one with --pool");
    }
  }

  /** {@code remora volume list}. */
  @Command(name = "list", description = "List the volumes.", footer = {"", "Example:  remora volume list --json", ""})
  static final class Listing extends OnNode {
    @Override
    void run(Terminal terminal, ControlClient node) {
      List<VolumeInfo> volumes = node.volumes();
      if (terminal.json()) {
        ObjectNode result = Terminal.object();
        ArrayNode list = result.putArray("volumes");
        volumes.forEach(volume -> list.add(Shapes.volume(volume)));
        terminal.result(result);
        return;
      }
      Table table = new Table("NAME", "POOL", ">SIZE", ">USED", "KIND", "PUBLISHED", ">HOSTS");
      for (VolumeInfo volume : volumes) {
        PublicationInfo publication = volume.publication();
        table.row(volume.name(), volume.pool(), Sizes.format(volume.sizeBytes()), Sizes.format(volume.usedBytes()),
            volume.thin() ? "thin" : "thick",
            publication == null ? "-" : where(publication),
            publication == null ? "-" : publication.connectedHosts());
      }
      terminal.table(table);
    }
  }

  /** {@code remora volume show}. */
  @Command(name = "show", description = "Show one volume.", footer = {"", "Example:  remora volume show data", ""})
  static final class Show extends OnNode {
    @Parameters(paramLabel = "VOLUME", description = VOLUME)
    String volume;

    @Override
    void run(Terminal terminal, ControlClient node) {
      List<VolumeInfo> found = node.volumes().stream().filter(v -> Shapes.matches(v, volume)).toList();
      if (found.isEmpty()) {
        throw new RemoraException(Status.NOT_FOUND,
            "there is no volume " + volume + "; 'remora volume list' shows what there is");
      }
      if (found.size() > 1) {
        throw new RemoraException(Status.INVALID,
            "there are " + found.size() + " volumes " + volume + ": write POOL/" + volume);
      }
      print(terminal, found.getFirst(), "");
    }
  }

  /** {@code remora volume delete}. */
  @Command(name = "delete", description = "Delete a volume that is not published, with all its data.", footer = {"",
    "Example:  remora volume delete data", ""})
  static final class Delete extends OnNode {
    @Parameters(paramLabel = "VOLUME", description = VOLUME)
    String volume;

    @Override
    void run(Terminal terminal, ControlClient node) {
      node.deleteVolume(volume);
      terminal.line("volume " + volume + " deleted");
      if (terminal.json()) {
        terminal.result(Terminal.object().put("ok", true).put("name", volume));
      }
    }
  }

  /** {@code remora volume resize}. */
  @Command(name = "resize", description = "Make a volume larger, while hosts use it too.", footer = {"",
    "Example:  remora volume resize data --size 20GiB", ""})
  static final class Resize extends OnNode {
    @Parameters(paramLabel = "VOLUME", description = VOLUME)
    String volume;

    @Option(names = "--size", required = true, paramLabel = "SIZE", converter = Sizes.Converter.class, description = "Its new size.")
    long sizeBytes;

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.resizeVolume(volume, sizeBytes), "resized");
    }
  }

  /** {@code remora volume publish}. */
  @Command(name = "publish", description = {
    "Offer a volume to hosts over NVMe/TCP, and over NVMe/RDMA when the node does that,",
    "from now on and after every restart."}, footer = {"",
      "Example:  remora volume publish data --listen 192.0.2.10:4420 \\",
      "            --allow nqn.2014-08.org.nvmexpress:uuid:6f1d...   (on the host: cat /etc/nvme/hostnqn)", ""})
  static final class Publish extends OnNode {
    @Parameters(paramLabel = "VOLUME", description = VOLUME)
    String volume;

    @Option(names = "--listen", paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Where hosts connect (default: where the node listens, see 'remora up --listen').")
    java.net.@Nullable InetSocketAddress listen;

    @Option(names = "--allow", paramLabel = "HOSTNQN", description = "A host that may connect; may be repeated. None: any host that reaches the address.")
    List<String> allowedHosts = List.of();

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.publishVolume(volume, listen, allowedHosts), "published");
    }
  }

  /** {@code remora volume unpublish}. */
  @Command(name = "unpublish", description = "Take a volume from its hosts.", footer = {"",
    "Example:  remora volume unpublish data", ""})
  static final class Unpublish extends OnNode {
    @Parameters(paramLabel = "VOLUME", description = VOLUME)
    String volume;

    @Override
    void run(Terminal terminal, ControlClient node) {
      print(terminal, node.unpublishVolume(volume), "unpublished");
    }
  }

  private static String where(PublicationInfo publication) {
    RdmaAddress rdma = publication.rdma();
    return publication.transport() + " " + Addresses.format(publication.address())
        + (rdma == null ? "" : ", rdma " + Addresses.format(rdma.address()) + " (" + rdma.provider() + ")");
  }

  private static void print(Terminal terminal, VolumeInfo volume, String what) {
    if (terminal.json()) {
      terminal.result(Shapes.volume(volume));
      return;
    }
    terminal.line("volume " + volume.name() + (what.isEmpty() ? "" : " " + what));
    terminal.line("  pool       " + volume.pool());
    terminal.line("  uuid       " + volume.uuid());
    terminal.line("  size       " + Sizes.format(volume.sizeBytes()) + " (" + volume.sizeBytes() + " bytes), "
        + (volume.thin() ? "thin" : "thick"));
    terminal.line("  used       " + Sizes.format(volume.usedBytes()));
    PublicationInfo publication = volume.publication();
    if (publication == null) {
      terminal.line("  published  no");
      return;
    }
    terminal.line("  published  " + publication.nqn());
    terminal.line("             at " + Addresses.format(publication.address()) + ", "
        + publication.connectedHosts() + " hosts connected, "
        + (publication.allowedHosts().isEmpty()
            ? "any host may connect"
            : "allowed: " + String.join(", ", publication.allowedHosts())));
    for (String uri : Shapes.uris(publication)) {
      terminal.line("             " + uri);
    }
    if (publication.writeProtected()) {
      terminal.line(
          "  writes     refused: a host has write protected it, and 'nvme set-feature DEVICE -n 1 -f 0x84 -v 0' takes that back,");
      terminal.line("             or its pool takes none: 'remora pool show " + volume.pool() + "'");
    }
    terminal.line("  on Linux   " + Shapes.connect(publication));
  }
}
