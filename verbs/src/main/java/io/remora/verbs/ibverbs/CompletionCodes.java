package io.remora.verbs.ibverbs;

import io.remora.verbs.CompletionOpcode;
import java.util.Arrays;

/** Numbers of completions in the terms of the interface. */
final class CompletionCodes {
  private static final CompletionOpcode[] OPCODES = new CompletionOpcode[130];

  static {
    Arrays.fill(OPCODES, CompletionOpcode.SEND);
    for (CompletionOpcode opcode : CompletionOpcode.values()) {
      OPCODES[opcode.code()] = opcode;
    }
  }

  private CompletionCodes() {}

  /** The opcode of that number. */
  static CompletionOpcode opcode(int code) {
    assert code >= 0 && code < OPCODES.length : code;
    return OPCODES[code];
  }

  /** Whether a completion of {@code opcode} says how long the data was. */
  static boolean hasLength(CompletionOpcode opcode) {
    return switch (opcode) {
      case RECEIVE, RECEIVE_WRITE_WITH_IMMEDIATE, READ, COMPARE_AND_SWAP, FETCH_AND_ADD -> true;
      case SEND, WRITE, BIND_WINDOW, LOCAL_INVALIDATE -> false;
    };
  }
}
