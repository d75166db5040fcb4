package io.remora.sim;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.Consumer;

/** The simulator with a fault in the program that it runs. */
final class Mutant {
  private final MutantLoader loader;
  private final Method run;

  Mutant(Mutation mutation) {
    try {
      loader = new MutantLoader(mutation);
      run = loader.loadClass(Run.class.getName()).getMethod("of", long.class, Consumer.class);
      loader.loadClass(mutation.type());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the mutant cannot run", e);
    }
  }

  /** In how many places the fault is. */
  int sites() {
    return loader.sites();
  }

  /** How seed {@code seed} fails; empty when it does not. */
  String failure(long seed) {
    try {
      Object outcome = run.invoke(null, seed, null);
      return (String) outcome.getClass().getMethod("failure").invoke(outcome);
    } catch (InvocationTargetException e) {
      return String.valueOf(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the mutant cannot run", e);
    }
  }
}
