package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostUriTest {
  private static final String NQN = "nqn.2014-08.org.nvmexpress:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

  @Test
  void readsAllOfIt() {
    HostUri uri = HostUri.parse("nvmf+tcp://storage.example:8009/" + NQN
        + "?nsid=3&queues=4&depth=32&hdgst=1&ddgst=0&kato=7&io-timeout=9&fail-fast=0&loss-timeout=60&resend=at-once"
        + "&hostnqn=nqn.2024-01.test:me&hostid=00000000-0000-0001-0000-000000000002");
    assertThat(uri.transport()).isEqualTo("tcp");
    assertThat(uri.addresses()).containsExactly(new HostUri.Address("storage.example", 8009));
    assertThat(uri.nqn()).isEqualTo(NQN);
    assertThat(uri.nsid()).contains(3);
    HostOptions options = uri.options(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 8009));
    assertThat(options.address().toString()).isEqualTo("/192.0.2.1:8009");
    assertThat(options.queues()).isEqualTo(4);
    assertThat(options.depth()).isEqualTo(32);
    assertThat(options.headerDigest()).isTrue();
    assertThat(options.dataDigest()).isFalse();
    assertThat(options.times().keepAliveNs()).isEqualTo(7_000_000_000L);
    assertThat(options.times().ioNs()).isEqualTo(9_000_000_000L);
    assertThat(options.times().holdNs()).isZero();
    assertThat(options.times().lossNs()).isEqualTo(60_000_000_000L);
    assertThat(options.resend()).isEqualTo(HostOptions.Resend.AT_ONCE);
    assertThat(options.hostNqn()).contains("nqn.2024-01.test:me");
    assertThat(options.hostId()).contains(new UUID(1, 2));
  }

  @Test
  void namesAnRdmaProvider() {
    HostUri uri = HostUri.parse("nvmf+rdma://192.0.2.1:4420/" + NQN + "?provider=iwarp&depth=8");
    assertThat(uri.transport()).isEqualTo("rdma");
    assertThat(uri.provider()).contains("iwarp");
    assertThat(uri.options(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 4420)).depth()).isEqualTo(8);
    assertThat(HostUri.parse("nvmf+rdma://host/nqn.a").provider()).isEmpty();
  }

  @Test
  void hasDefaults() {
    HostUri uri = HostUri.parse("nvmf+tcp://[2001:db8::1]/nqn.2024-01.test:disk");
    assertThat(uri.addresses()).containsExactly(new HostUri.Address("2001:db8::1", 4420));
    assertThat(uri.nsid()).isEmpty();
    InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("2001:db8::1"), 4420);
    assertThat(uri.options(address)).isEqualTo(HostOptions.of(address, uri.nqn()));
  }

  @Test
  void hasSeveralAddresses() {
    HostUri uri = HostUri.parse("nvmf+tcp://a:4420,[2001:db8::1]:8009,10.0.0.2/nqn.2024-01.test:disk?policy=local");
    assertThat(uri.addresses()).containsExactly(new HostUri.Address("a", 4420),
        new HostUri.Address("2001:db8::1", 8009), new HostUri.Address("10.0.0.2", 4420));
    assertThat(uri.parameters()).containsEntry("policy", "local");
  }

  @Test
  void namesADiscoveryService() {
    HostUri uri = HostUri.parseService("nvmf+tcp://storage.example?hostnqn=nqn.2024-01.test:me");
    assertThat(uri.addresses()).containsExactly(new HostUri.Address("storage.example", 4420));
    assertThat(uri.nqn()).isEqualTo(HostOptions.DISCOVERY_NQN);
    assertThatThrownBy(() -> HostUri.parseService("nvmf+tcp://host/nqn.2024-01.test:disk"))
        .isInstanceOf(RemoraException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp://host/nqn.a", "nvmf+tcp://host", "nvmf+tcp://host/", "nvmf+tcp:///nqn.a",
    "nvmf+tcp://host/disk", "nvmf+tcp://host:0/nqn.a", "nvmf+tcp://host:70000/nqn.a", "nvmf+tcp://host/nqn.a?x=1",
    "nvmf+tcp://host/nqn.a?depth=0", "nvmf+tcp://host/nqn.a?depth=many", "nvmf+tcp://host/nqn.a?depth",
    "nvmf+tcp://host/nqn.a?hdgst=yes", "nvmf+tcp://host/nqn.a?hostid=7", "nvmf+tcp://ho st/nqn.a",
    "nvmf+tcp://a,/nqn.a", "nvmf+udp://a/nqn.a", "nvmf+tcp://a/nqn.a?provider=iwarp", "nvmf+rdma://a/nqn.a?provider=",
    "nvmf+rdma://a/nqn.a?hdgst=1",
    "nvmf+tcp://a,a:4420/nqn.a", "nvmf+tcp://u@a/nqn.a", "nvmf+tcp://a/nqn.a?policy=", "nvmf+tcp://a/nqn.a?hold=1"})
  void refusesWhatItCannotRead(String text) {
    assertThatThrownBy(() -> HostUri.parse(text)).isInstanceOf(RemoraException.class);
  }
}
