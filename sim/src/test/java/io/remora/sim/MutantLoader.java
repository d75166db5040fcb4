package io.remora.sim;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Instruction;

/** Loads the whole program anew, with one fault built into it as its class is loaded. */
final class MutantLoader extends ClassLoader {
  private static final String OURS = "io.remora.";

  private final Mutation mutation;
  private int sites;

  MutantLoader(Mutation mutation) {
    super(MutantLoader.class.getClassLoader());
    this.mutation = mutation;
  }

  /** In how many places the fault was built in; its class has been loaded by now. */
  int sites() {
    return sites;
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(OURS)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      return loaded != null ? loaded : define(name);
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = in.readAllBytes();
      byte[] code = name.equals(mutation.type()) ? mutate(bytes) : bytes;
      return defineClass(name, code, 0, code.length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] mutate(byte[] bytes) {
    ClassFile file = ClassFile
        .of(ClassFile.ClassHierarchyResolverOption.of(java.lang.classfile.ClassHierarchyResolver
            .ofResourceParsing(MutantLoader.class.getClassLoader())
            .orElse(java.lang.classfile.ClassHierarchyResolver.defaultResolver())));
    CodeTransform change = (builder, element) -> {
      if (element instanceof Instruction instruction && mutation.where().test(instruction)) {
        sites++;
        mutation.instead().change(builder, instruction);
      } else {
        builder.with(element);
      }
    };
    return file.transformClass(file.parse(bytes), ClassTransform.transformingMethodBodies(
        method -> method.methodName().equalsString(mutation.method()), change));
  }
}
