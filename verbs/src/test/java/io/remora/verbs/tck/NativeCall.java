package io.remora.verbs.tck;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.util.List;

/** Functions of the C library that tests need and base has no use for. Slow. */
public final class NativeCall {
  private NativeCall() {}

  /** What the function of that name returns for these arguments, whose types are {@code arguments}. */
  @SuppressWarnings("restricted")
  public static long call(String name, MemoryLayout result, List<MemoryLayout> arguments, Object... values) {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor type = FunctionDescriptor.of(result, arguments.toArray(MemoryLayout[]::new));
    try {
      Object value = linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type).invokeWithArguments(values);
      return ((Number) value).longValue();
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
  }
}
