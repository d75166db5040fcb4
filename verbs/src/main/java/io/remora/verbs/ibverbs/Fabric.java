package io.remora.verbs.ibverbs;

/** What a device speaks. */
enum Fabric {
  INFINIBAND("InfiniBand"),
  ROCE_V1("RoCEv1"),
  ROCE_V2("RoCEv2"),
  IWARP("iWARP");

  private final String text;

  Fabric(String text) {
    this.text = text;
  }

  /** For people. */
  String text() {
    return text;
  }

  /** Whether its addresses are those of IP. */
  boolean isRoce() {
    return this == ROCE_V1 || this == ROCE_V2;
  }
}
