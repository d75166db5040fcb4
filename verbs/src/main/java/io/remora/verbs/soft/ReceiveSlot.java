package io.remora.verbs.soft;

/** A receive that was posted. Belongs to its queue; reused. */
public final class ReceiveSlot {
  private final Pieces pieces;
  long id;

  ReceiveSlot(int maxPieces) {
    this.pieces = new Pieces(maxPieces);
  }

  /** Its memory. */
  public Pieces pieces() {
    return pieces;
  }
}
