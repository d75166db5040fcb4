package io.remora.verbs.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which device a policy comes to, and what is said of the others. */
class RdmaSelectionTest {
  private record Fixed(String name, @Nullable String unavailable, List<DeviceInfo> devices) implements Provider {
    @Override
    public Context open(Loop loop, String device) {
      throw new AssertionError("nothing is opened");
    }
  }

  private static DeviceInfo device(String provider, String name, @Nullable String netInterface, String address,
      @Nullable String unusable) throws UnknownHostException {
    return new DeviceInfo(provider, name, "RoCEv2", netInterface,
        address.isEmpty() ? List.of() : List.of(InetAddress.getByName(address)), unusable);
  }

  private static final Provider NONE = new Fixed("ibverbs",
      "libibverbs.so.1 is not installed (Debian: apt-get install libibverbs1)",
      List.of());

  private static List<Provider> cards() throws UnknownHostException {
    return List.of(
        new Fixed("ibverbs", null,
            List.of(device("ibverbs", "down0", "eth0", "10.0.0.5", "port 1 is down: ip link set eth0 up"),
                device("ibverbs", "mlx5_0", "eth1", "10.0.1.5", null),
                device("ibverbs", "mlx5_1", "lo", "127.0.0.1", null))),
        new Fixed("shm", null, List.of(device("shm", "shm0", null, "", null))));
  }

  private static RdmaPolicy policy(String netInterface, RdmaPolicy.Transport transport) {
    return new RdmaPolicy(true, netInterface, List.of("ibverbs", "shm"), transport);
  }

  @Test
  void firstUsableDeviceOfTheFirstProvider() throws UnknownHostException {
    RdmaChoice choice = RdmaSelection.choose(RdmaPolicy.DEFAULT, cards());
    assertThat(choice.device()).isNotNull().returns("mlx5_0", DeviceInfo::name);
    assertThat(choice.warning()).isNull();
    assertThat(choice.passedOver()).singleElement().asString().contains("down0").contains("ip link set eth0 up");
  }

  @ParameterizedTest
  @CsvSource({"eth1, mlx5_0", "10.0.1.5, mlx5_0", "10.0.1.0/24, mlx5_0", "10.0.0.0/15, mlx5_0", "lo, mlx5_1",
    "127.0.0.0/8, mlx5_1",
    "eth7, shm0", "10.9.0.0/16, shm0", "02:00:00:00:00:01, shm0"})
  void interfaceByNameAddressOrSubnet(String netInterface, String expected) throws UnknownHostException {
    RdmaChoice choice = RdmaSelection.choose(policy(netInterface, RdmaPolicy.Transport.PREFER_RDMA), cards());
    assertThat(choice.device()).isNotNull().returns(expected, DeviceInfo::name);
  }

  /** Where connections come to an address that is known, a card that does not have it is no use. */
  @ParameterizedTest
  @CsvSource({"10.0.1.5, mlx5_0", "127.0.0.1, mlx5_1", "10.0.9.9, shm0", "0.0.0.0, mlx5_0", "::, mlx5_0", "::1, shm0"})
  void deviceThatHasTheAddress(String address, String expected) throws UnknownHostException {
    RdmaChoice choice = RdmaSelection.choose(policy("", RdmaPolicy.Transport.REQUIRE_RDMA), cards(),
        InetAddress.ofLiteral(address));
    assertThat(choice.device()).isNotNull().returns(expected, DeviceInfo::name);
  }

  @Test
  void theInterfaceThatIsNamedGoesBeforeTheAddress() throws UnknownHostException {
    RdmaChoice choice = RdmaSelection.choose(policy("eth1", RdmaPolicy.Transport.REQUIRE_RDMA), cards(),
        InetAddress.ofLiteral("127.0.0.1"));
    assertThat(choice.device()).isNotNull().returns("mlx5_0", DeviceInfo::name);
  }

  @Test
  void listensAtTheWishedAddressUnlessTheInterfaceHasAnother() throws UnknownHostException {
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    InetAddress any = InetAddress.ofLiteral("0.0.0.0");
    DeviceInfo shm = device("shm", "shm0", null, "", null);
    DeviceInfo card = device("ibverbs", "mlx5_1", "lo", "127.0.0.1", null);
    for (DeviceInfo device : List.of(shm, card)) {
      assertThat(address("", device, any)).isEqualTo(any);
      assertThat(address("", device, loopback)).isEqualTo(loopback);
      assertThat(address("lo", device, any)).isEqualTo(loopback);
      assertThat(address("127.0.0.0/8", device, loopback)).isEqualTo(loopback);
      assertThatThrownBy(() -> address("nosuch0", device, any))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND))
          .hasMessageContaining("rdma.interface").hasMessageContaining("nosuch0");
    }
  }

  private static InetAddress address(String netInterface, DeviceInfo device, InetAddress wished) {
    return RdmaSelection.address(policy(netInterface, RdmaPolicy.Transport.PREFER_RDMA), device, wished);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/x", "1.2.3.4.5", "::/129", "eth0/24"})
  void whatIsNoInterfaceIsRefused(String text) {
    assertThatThrownBy(() -> RdmaSelection.choose(policy(text, RdmaPolicy.Transport.PREFER_RDMA), List.of(NONE)))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID))
        .hasMessageContaining("rdma.interface").hasMessageContaining(text);
  }

  @Test
  void withoutADeviceTcpWithAWarningOrNothing() {
    List<Provider> known = List.of(NONE, new Fixed("shm", null, List.of()));
    RdmaChoice choice = RdmaSelection.choose(policy("", RdmaPolicy.Transport.PREFER_RDMA), known);
    assertThat(choice.rdma()).isFalse();
    assertThat(choice.warning()).contains("apt-get install libibverbs1").contains("shm: no devices").contains("TCP");
    assertThatThrownBy(() -> RdmaSelection.choose(policy("", RdmaPolicy.Transport.REQUIRE_RDMA), known))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED))
        .hasMessageContaining("libibverbs").hasMessageContaining("require-rdma");
    assertThat(RdmaSelection.choose(policy("", RdmaPolicy.Transport.TCP), known).warning()).isNull();
    assertThat(
        RdmaSelection.choose(new RdmaPolicy(false, "", List.of(), RdmaPolicy.Transport.PREFER_RDMA), known).rdma())
        .isFalse();
  }

  @Test
  void contradictionsAndUnknownNamesAreRefused() {
    assertThatThrownBy(() -> new RdmaPolicy(false, "", List.of("shm"), RdmaPolicy.Transport.REQUIRE_RDMA))
        .isInstanceOf(RemoraException.class).hasMessageContaining("rdma.enabled");
    assertThatThrownBy(() -> RdmaSelection
        .choose(new RdmaPolicy(true, "", List.of("rocket"), RdmaPolicy.Transport.PREFER_RDMA), List.of(NONE)))
        .isInstanceOf(RemoraException.class).hasMessageContaining("rocket").hasMessageContaining("ibverbs");
    assertThatThrownBy(() -> RdmaPolicy.Transport.parse("rdma")).isInstanceOf(RemoraException.class)
        .hasMessageContaining("prefer-rdma");
    assertThat(RdmaPolicy.Transport.parse("require-rdma")).isEqualTo(RdmaPolicy.Transport.REQUIRE_RDMA);
  }
}
