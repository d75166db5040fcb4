package io.remora.engine;

import io.remora.nvme.rdma.RdmaTargetOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a node is to do RDMA, beside TCP.
 *
 * @param policy what the operator says
 * @param providers what this program has
 * @param listen where hosts connect by RDMA to what is published where the node listens; null: at that address, or one of the policy's interface, with the same port, or the next one when RDMA
 *     has its ports in common with TCP (iWARP). So it always is for what is published elsewhere
 * @param target the bounds of what hosts may use
 */
public record RdmaOptions(RdmaPolicy policy, List<Provider> providers, @Nullable InetSocketAddress listen,
    RdmaTargetOptions target) {
  /** Keeps a copy of the list. */
  public RdmaOptions {
    providers = List.copyOf(providers);
  }

  /** With default bounds. */
  public static RdmaOptions of(RdmaPolicy policy, List<Provider> providers, @Nullable InetSocketAddress listen) {
    return new RdmaOptions(policy, providers, listen, RdmaTargetOptions.of(RegisteredBytes.unlessSaidOtherwise()));
  }

  /** TCP only. */
  public static RdmaOptions none() {
    return of(new RdmaPolicy(false, "", List.of(), RdmaPolicy.Transport.TCP), List.of(), null);
  }
}
