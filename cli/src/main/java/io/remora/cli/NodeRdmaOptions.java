package io.remora.cli;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.RdmaOptions;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say whether and how a node does RDMA beside TCP. */
final class NodeRdmaOptions {
  @Option(names = "--rdma-enabled", arity = "0..1", fallbackValue = "true", defaultValue = "false", paramLabel = "BOOL", description = "Whether hosts may connect by RDMA, beside TCP (default: ${DEFAULT-VALUE}).")
  boolean enabled;

  @Option(names = "--transport", paramLabel = "POLICY", defaultValue = "prefer-rdma", description = "With --rdma-enabled: prefer-rdma (TCP only, with a warning, until there is a usable device), require-rdma"
      + " (without one the node does not start) or tcp (default: ${DEFAULT-VALUE}).")
  String transport = "prefer-rdma";

  @Option(names = "--rdma-interface", paramLabel = "NAME|ADDR|MAC|SUBNET", defaultValue = "", description = "The network interface to do RDMA on (default: the one that has the address).")
  String netInterface = "";

  @Option(names = "--rdma-providers", paramLabel = "LIST", split = ",", description = "Which to try, in that order, of ibverbs, iwarp, shm (default: ibverbs,shm).")
  List<String> providers = RdmaPolicy.DEFAULT_PROVIDERS;

  @Option(names = "--rdma-listen", paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Where hosts connect by RDMA (default: as --listen; with iWARP, whose ports are TCP's, the next port).")
  @Nullable
  InetSocketAddress listen;

  /**
   * What they say.
   *
   * @throws RemoraException {@link Status#INVALID} when it cannot be
   */
  RdmaOptions options() {
    RdmaPolicy policy = new RdmaPolicy(enabled, netInterface, providers, RdmaPolicy.Transport.parse(transport));
    if (!enabled) {
      return RdmaOptions.of(policy, List.of(), listen);
    }
    List<Provider> known = Providers.all();
    List<String> names = known.stream().map(Provider::name).toList();
    for (String provider : providers) {
      Check.argument(names.contains(provider), "--rdma-providers: there is no %s, only %s", provider,
          String.join(", ", names));
    }
    return RdmaOptions.of(policy, known, listen);
  }
}
