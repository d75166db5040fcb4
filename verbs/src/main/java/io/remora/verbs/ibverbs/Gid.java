package io.remora.verbs.ibverbs;

import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/**
 * An entry of a device's table of addresses.
 *
 * @param port of the device
 * @param index in that port's table
 * @param type 0 InfiniBand or RoCEv1 or iWARP, 1 RoCEv1, 2 RoCEv2
 * @param interfaceIndex of the network interface, 0 for none
 * @param address the address; one of IPv4 when RoCE has mapped it
 */
record Gid(int port, int index, int type, int interfaceIndex, InetAddress address) {
  static final int ROCE_V2 = 2;
  private static final int MAX_ENTRIES = 1024;

  /** All entries of the device that is open at {@code context}; empty when it has none to tell. */
  static List<Gid> all(VerbsLibrary verbs, long context) {
    try (Arena arena = Arena.ofConfined()) {
      long table = arena.allocate((long) MAX_ENTRIES * GidEntryLayout.BYTES, 8).address();
      long count = verbs.queryGidTable.call(context, table, MAX_ENTRIES, 0, GidEntryLayout.BYTES);
      List<Gid> gids = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        long entry = table + (long) i * GidEntryLayout.BYTES;
        gids.add(new Gid(Memory.getInt(entry + GidEntryLayout.PORT), Memory.getInt(entry + GidEntryLayout.INDEX),
            Memory.getInt(entry + GidEntryLayout.TYPE), Memory.getInt(entry + GidEntryLayout.INTERFACE_INDEX),
            address(Memory.bytes(entry + GidEntryLayout.GID, GidEntryLayout.GID_BYTES))));
      }
      return gids;
    }
  }

  private static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of 16 bytes is refused", e);
    }
  }

  /** What RoCE calls {@code address}. */
  static byte[] of(InetAddress address) {
    byte[] ip = address.getAddress();
    if (ip.length == GidEntryLayout.GID_BYTES) {
      return ip;
    }
    byte[] mapped = new byte[GidEntryLayout.GID_BYTES];
    mapped[10] = mapped[11] = (byte) 0xff;
    System.arraycopy(ip, 0, mapped, 12, ip.length);
    return mapped;
  }

  /** How many of the first bits are equal. */
  int commonBits(byte[] other) {
    byte[] bytes = of(address);
    for (int i = 0; i < bytes.length; i++) {
      int difference = (bytes[i] ^ other[i]) & 0xff;
      if (difference != 0) {
        return i * 8 + Integer.numberOfLeadingZeros(difference) - 24;
      }
    }
    return bytes.length * 8;
  }
}
