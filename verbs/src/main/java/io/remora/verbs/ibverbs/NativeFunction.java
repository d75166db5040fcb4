package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;

/**
 * A C function of up to six numbers and addresses, for control operations: a call allocates. From any thread.
 *
 * <p>Whatever the function's own way to fail (a null pointer and errno, -1 and errno, an error number), a call gives 0 or more when it succeeded, and
 * the negated error number when it did not.
 */
final class NativeFunction {
  private static final int ARGUMENTS = 6;
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle ERRNO_LOCATION = errnoLocation();
  private static final int EIO = 5;

  private final MethodHandle handle;
  private final Result result;

  private enum Result {
    /** Null says that it failed. */
    POINTER,
    /** 0, or -1 and errno, or an error number, negated or not. */
    STATUS,
    /** -1 says that it failed. */
    COUNT
  }

  private NativeFunction(MethodHandle handle, Result result) {
    this.handle = handle;
    this.result = result;
  }

  /** A function that gives a pointer. {@code arguments} has a letter for each: {@code L} 64 bits, {@code I} 32 bits. */
  static NativeFunction pointer(SymbolLookup library, String name, String arguments) {
    return new NativeFunction(link(find(library, name), FunctionDescriptor.of(JAVA_LONG, layouts(arguments))),
        Result.POINTER);
  }

  /** A function that gives 0, or says how it failed. */
  static NativeFunction status(SymbolLookup library, String name, String arguments) {
    return new NativeFunction(link(find(library, name), FunctionDescriptor.of(JAVA_INT, layouts(arguments))),
        Result.STATUS);
  }

  /** A function that gives how many, or -1. */
  static NativeFunction count(SymbolLookup library, String name, String arguments) {
    return new NativeFunction(link(find(library, name), FunctionDescriptor.of(JAVA_LONG, layouts(arguments))),
        Result.COUNT);
  }

  /** A function that gives a number or -1, and whose arguments after the first {@code fixed} are variadic. */
  @SuppressWarnings("restricted")
  static NativeFunction variadic(SymbolLookup library, String name, String arguments, int fixed) {
    return new NativeFunction(uniform(linker().downcallHandle(find(library, name),
        FunctionDescriptor.of(JAVA_INT, layouts(arguments)), Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(fixed))), Result.COUNT);
  }

  /** A function that gives nothing. */
  @SuppressWarnings("restricted")
  static NativeFunction nothing(SymbolLookup library, String name, String arguments) {
    MethodHandle handle = linker().downcallHandle(find(library, name), FunctionDescriptor.ofVoid(layouts(arguments)),
        Linker.Option.captureCallState("errno"));
    return new NativeFunction(uniform(MethodHandles.filterReturnValue(handle, MethodHandles.constant(long.class, 0L))),
        Result.COUNT);
  }

  /** As {@link #pointer(SymbolLookup, String, String)}, of a function table. */
  static NativeFunction pointer(long function, String arguments) {
    return new NativeFunction(
        link(MemorySegment.ofAddress(function), FunctionDescriptor.of(JAVA_LONG, layouts(arguments))), Result.POINTER);
  }

  /** As {@link #status(SymbolLookup, String, String)}, of a function table. */
  static NativeFunction status(long function, String arguments) {
    return new NativeFunction(
        link(MemorySegment.ofAddress(function), FunctionDescriptor.of(JAVA_INT, layouts(arguments))), Result.STATUS);
  }

  long call() {
    return call(0, 0, 0, 0, 0, 0);
  }

  long call(long a) {
    return call(a, 0, 0, 0, 0, 0);
  }

  long call(long a, long b) {
    return call(a, b, 0, 0, 0, 0);
  }

  long call(long a, long b, long c) {
    return call(a, b, c, 0, 0, 0);
  }

  long call(long a, long b, long c, long d) {
    return call(a, b, c, d, 0, 0);
  }

  long call(long a, long b, long c, long d, long e) {
    return call(a, b, c, d, e, 0);
  }

  long call(long a, long b, long c, long d, long e, long f) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long value;
      try {
        // Some drivers fail without a word: then the number must not be an older failure's.
        Memory.putInt((long) ERRNO_LOCATION.invokeExact(), 0);
        value = (long) handle.invokeExact(state, a, b, c, d, e, f);
      } catch (Throwable t) {
        throw new AssertionError("a C function cannot throw", t);
      }
      return switch (result) {
        case POINTER -> value != 0 ? value : -error(state);
        case STATUS -> value == -1 ? -error(state) : -Math.abs(value);
        case COUNT -> value == -1 ? -error(state) : value;
      };
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle errnoLocation() {
    return linker().downcallHandle(find(linker().defaultLookup(), "__errno_location"),
        FunctionDescriptor.of(JAVA_LONG));
  }

  private static int error(MemorySegment state) {
    int errno = state.get(JAVA_INT, ERRNO);
    return errno == 0 ? EIO : errno;
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(MemorySegment function, FunctionDescriptor type) {
    return uniform(linker().downcallHandle(function, type, Linker.Option.captureCallState("errno")));
  }

  /** The handle with six longs for arguments, of which it ignores those that it has not, and a long for its result. */
  private static MethodHandle uniform(MethodHandle handle) {
    int own = handle.type().parameterCount() - 1;
    Class<?>[] longs = new Class<?>[ARGUMENTS - own];
    Arrays.fill(longs, long.class);
    MethodHandle padded = MethodHandles.dropArguments(handle, own + 1, longs);
    MethodType type = MethodType.genericMethodType(0).changeReturnType(long.class)
        .appendParameterTypes(MemorySegment.class);
    for (int i = 0; i < ARGUMENTS; i++) {
      type = type.appendParameterTypes(long.class);
    }
    return MethodHandles.explicitCastArguments(padded, type);
  }

  private static MemoryLayout[] layouts(String arguments) {
    return arguments.chars().mapToObj(letter -> letter == 'L' ? JAVA_LONG : JAVA_INT).toArray(MemoryLayout[]::new);
  }

  static MemorySegment find(SymbolLookup library, String name) {
    return library.find(name).orElseThrow(() -> new UnsatisfiedLinkError("it has no function " + name));
  }

  private static Linker linker() {
    return Linker.nativeLinker();
  }
}
