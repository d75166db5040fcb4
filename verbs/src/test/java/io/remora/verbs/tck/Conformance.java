package io.remora.verbs.tck;

/** Where the tests of the kit come from. What a device is not capable of must be refused: the tests that need it check that instead. */
public interface Conformance {
  /** A new fabric for one test. */
  Fabric open();
}
