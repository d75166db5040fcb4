package io.remora.verbs.ibverbs;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Runs {@link IbverbsDeviceConformance} where there is no more than a class path; its argument names the tests to leave out, with commas between. */
final class DeviceTests {
  private DeviceTests() {}

  /** Ends with code 1 when a test has failed, or none has run. */
  public static void main(String[] arguments) throws ReflectiveOperationException {
    List<String> leftOut = List.of(arguments.length == 0 ? new String[0] : arguments[0].split(","));
    List<Method> tests = Arrays.stream(IbverbsDeviceConformance.class.getMethods())
        .filter(method -> method.isAnnotationPresent(Test.class)).sorted(Comparator.comparing(Method::getName))
        .toList();
    int passed = 0;
    int failed = 0;
    for (Method test : tests) {
      if (leftOut.contains(test.getName())) {
        continue;
      }
      long began = System.nanoTime();
      String outcome;
      try {
        test.invoke(new IbverbsDeviceConformance());
        passed++;
        outcome = "passed";
      } catch (InvocationTargetException e) {
        Throwable cause = Objects.requireNonNull(e.getCause());
        boolean aborted = cause instanceof TestAbortedException;
        failed += aborted ? 0 : 1;
        outcome = aborted ? "skipped: " + cause.getMessage() : "FAILED: " + trace(cause);
      }
      System.out.println(test.getName() + " " + (System.nanoTime() - began) / 1_000_000 + " ms " + outcome);
    }
    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 && passed > 0 ? 0 : 1);
  }

  private static String trace(Throwable failure) {
    StringBuilder text = new StringBuilder(failure.toString());
    for (StackTraceElement element : failure.getStackTrace()) {
      if (element.getClassName().startsWith("io.remora")) {
        text.append("\n    at ").append(element);
      }
    }
    return text.toString();
  }
}
