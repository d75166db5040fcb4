package io.remora.verbs.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which interface a device belongs to, as the kernel tells it by an index or not at all. */
class InterfacesTest {
  @Test
  void addressOfIwarpBeginsWithTheHardwareAddress() throws Exception {
    List<NetworkInterface> all = NetworkInterface.networkInterfaces().toList();
    NetworkInterface some = null;
    for (NetworkInterface network : all) {
      byte[] address = network.getHardwareAddress();
      if (address != null && address.length == 6 && holders(all, address) == 1) {
        some = network;
      }
    }
    if (some == null) {
      abort("this machine has no interface with a hardware address of its own");
      return;
    }
    byte[] address = Arrays.copyOf(some.getHardwareAddress(), 16);
    Gid gid = new Gid(1, 0, 0, 0, InetAddress.getByAddress(address));
    assertThat(Interfaces.of(List.of(gid), Fabric.IWARP)).isEqualTo(some);
    assertThat(Interfaces.of(List.of(gid), Fabric.ROCE_V2)).as("of RoCE it is no hardware address").isNull();
    address[5] ^= 0x55;
    assertThat(Interfaces.of(List.of(new Gid(1, 0, 0, 0, InetAddress.getByAddress(address))), Fabric.IWARP)).isNull();
    Gid indexed = new Gid(1, 0, 0, some.getIndex(), InetAddress.getByAddress(new byte[16]));
    assertThat(Interfaces.of(List.of(gid, indexed), Fabric.ROCE_V2)).isEqualTo(some);
    assertThat(Interfaces.of(List.of(), Fabric.IWARP)).isNull();
  }

  private static int holders(List<NetworkInterface> all, byte[] address) throws Exception {
    int holders = 0;
    for (NetworkInterface network : all) {
      holders += Arrays.equals(network.getHardwareAddress(), address) ? 1 : 0;
    }
    return holders;
  }
}
