package io.remora.verbs.ibverbs;

/**
 * What a driver does otherwise than the interface promises. Where this provider can make up for it, it does; where not, the device is said to lack the capability.
 */
enum DriverQuirks {
  /** None that are known. */
  NONE,
  /** The kernel's soft RoCE. */
  RXE,
  /** The kernel's soft iWARP, and its user library. */
  SIW;

  /** What rxe says in place of a vendor's number; no vendor has it. */
  private static final int VENDOR_RXE = 0xffffff;
  private static final int VENDOR_SIW = 0x626d74;

  /** Those of the driver of {@code vendor}; {@code hardware} when it drives an adapter. */
  static DriverQuirks of(int vendor, boolean hardware) {
    if (hardware) {
      return NONE;
    }
    return switch (vendor) {
      case VENDOR_RXE -> RXE;
      case VENDOR_SIW -> SIW;
      default -> NONE;
    };
  }

  /** rxe checks the bounds of the region and not those of the window, which therefore protects nothing. */
  boolean windowsAreOpen() {
    return this == RXE;
  }

  /** rxe hands the kernel's own number out for a completion that made a key invalid, which libibverbs gives another meaning that rxe has no use for. */
  boolean numbersInvalidationsItself() {
    return this == RXE;
  }

  /** What is posted to a queue pair in the error state never shows: siw reads it no more, and says nothing. */
  boolean losesPostsInError() {
    return this == SIW;
  }

  /** siw shows a write or send when it is on its way, though a read before it is not answered yet; and it never shows reads that are under way when the connection is ended. */
  boolean showsReadsLate() {
    return this == SIW;
  }

  /** The user library of siw refuses receives without a piece. */
  boolean receivesNeedAPiece() {
    return this == SIW;
  }

  /**
   * siw gives each queue a place in a file that its user library maps, and the library takes place 144 for a failure: once the places below are used, nothing more can be made.
   */
  boolean hasABadPlace() {
    return this == SIW;
  }

  /** siw answers reads of any memory of the queue pair's protection domain, whatever rights it was registered with. */
  boolean readsWithoutRights() {
    return this == SIW;
  }

  /** siw never takes a message for solicited. */
  boolean ignoresSolicited() {
    return this == SIW;
  }

  /** The user library of siw sends 0 for the key that the peer is to make invalid, and does not tell the receiver which one was. */
  boolean losesInvalidatedKeys() {
    return this == SIW;
  }
}
