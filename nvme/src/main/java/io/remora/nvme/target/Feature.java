package io.remora.nvme.target;

import org.jspecify.annotations.Nullable;

/** The features that controllers here have, and what can be done with each (NVMe Base 2.0, 5.27). None can be saved. */
enum Feature {
  ARBITRATION(0x01, Feature.CHANGEABLE, 0), POWER(0x02, Feature.CHANGEABLE, 0),
  TEMPERATURE(0x04, Feature.CHANGEABLE, 0), ERROR_RECOVERY(0x05, 0, 0), WRITE_CACHE(0x06, 0, 0),
  QUEUES(0x07, Feature.CHANGEABLE, 0), WRITE_ATOMICITY(0x0A, Feature.CHANGEABLE, 0),
  EVENTS(0x0B, Feature.CHANGEABLE | Feature.OF_DISCOVERY, 0), TIMESTAMP(0x0E, Feature.CHANGEABLE, 8),
  KEEP_ALIVE(0x0F, Feature.CHANGEABLE | Feature.OF_DISCOVERY, 0), HOST_BEHAVIOR(0x16, Feature.CHANGEABLE, 512),
  HOST_ID(0x81, 0, 16),
  WRITE_PROTECT(0x84, Feature.CHANGEABLE | Feature.OF_NAMESPACE, 0);

  private static final int CHANGEABLE = 1;
  private static final int OF_DISCOVERY = 1 << 1;
  private static final int OF_NAMESPACE = 1 << 2;
  private static final Feature[] BY_ID = new Feature[256];

  static {
    for (Feature feature : values()) {
      BY_ID[feature.id] = feature;
    }
  }

  final int id;
  /** The length of its data structure in bytes; 0 when its value stands in the command. */
  final int dataBytes;
  private final int traits;

  Feature(int id, int traits, int dataBytes) {
    this.id = id;
    this.traits = traits;
    this.dataBytes = dataBytes;
  }

  /** Feature {@code id} of an I/O or a discovery controller; null when it has none of that number. */
  static @Nullable Feature of(int id, boolean discovery) {
    Feature feature = BY_ID[id];
    return feature != null && discovery && (feature.traits & OF_DISCOVERY) == 0 ? null : feature;
  }

  /** Whether a host may give it another value. */
  boolean changeable() {
    return (traits & CHANGEABLE) != 0;
  }

  /** What Get Features answers to "supported capabilities": bit 0 saveable, 1 of a namespace, 2 changeable. */
  int capabilities() {
    return (changeable() ? 1 << 2 : 0) | (ofNamespace() ? 1 << 1 : 0);
  }

  private boolean ofNamespace() {
    return (traits & OF_NAMESPACE) != 0;
  }

  /** What the log page of feature effects says: supported, what a change changes (bit 2: the namespace), how far it reaches. */
  int effects() {
    return ofNamespace() ? 1 | 1 << 2 | 1 << 20 : 1 | 1 << 21;
  }
}
