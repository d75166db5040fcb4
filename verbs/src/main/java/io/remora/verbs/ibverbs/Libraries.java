package io.remora.verbs.ibverbs;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;

/**
 * The C libraries, loaded for as long as the process lives. From any thread.
 *
 * @param verbs libibverbs
 * @param cm librdmacm
 * @param system the C library
 */
record Libraries(VerbsLibrary verbs, CmLibrary cm, SystemLibrary system) {
  private static final String INSTALL = "install rdma-core's libraries (Debian, Ubuntu: apt install libibverbs1 librdmacm1"
      + " ibverbs-providers; Fedora, RHEL: dnf install libibverbs librdmacm)";

  /**
   * Loads them.
   *
   * @throws LinkageError with a message for people when this machine does not have what is needed
   */
  static Libraries load() {
    return load("libibverbs.so.1", "librdmacm.so.1");
  }

  /** Loads libraries of other names. */
  static Libraries load(String verbs, String cm) {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "");
    if (!os.equals("Linux") || !(arch.equals("amd64") || arch.equals("aarch64"))) {
      throw new UnsatisfiedLinkError(
          "libibverbs is called on Linux on x86_64 and aarch64 only, this is " + os + " on " + arch);
    }
    return new Libraries(new VerbsLibrary(open(verbs)), new CmLibrary(open(cm)),
        new SystemLibrary());
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup open(String name) {
    try {
      SymbolLookup library = SymbolLookup.libraryLookup(name, Arena.global());
      return symbol -> {
        var found = library.find(symbol);
        if (found.isEmpty()) {
          throw new UnsatisfiedLinkError(name + " is too old, it has no " + symbol + ": take rdma-core 32 or later");
        }
        return found;
      };
    } catch (IllegalArgumentException e) {
      throw unsatisfied(name + " is not there: " + INSTALL, e);
    }
  }

  private static UnsatisfiedLinkError unsatisfied(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }
}
