package io.remora.sim;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Instruction;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * A deliberate fault: what becomes of some instructions of one method.
 *
 * @param name what goes wrong, for people
 * @param type the class
 * @param method the method, all that have this name
 * @param sites how many instructions are changed
 * @param where which ones
 * @param instead what is there instead
 */
record Mutation(String name, String type, String method, int sites, Predicate<Instruction> where, Change instead) {
  private static final String POOL = "io.remora.block.pool.";
  private static final String NVME = "io.remora.nvme.";
  private static final ClassDesc FUTURE = CompletableFuture.class.describeConstable().orElseThrow();

  /** Writes other code. */
  interface Change {
    void change(CodeBuilder builder, Instruction instruction);
  }

  /** All of them. */
  static final List<Mutation> ALL = List.of(
      new Mutation("a flush flushes nothing", POOL + "VolumeIo", "run", 2, put("flushAfter"),
          (code, old) -> code.pop().iconst_0().with(old)),
      new Mutation("only the first disk is flushed", POOL + "Pool", "flush", 1, opcode(Opcode.ARRAYLENGTH),
          (code, _) -> code.pop().iconst_1()),
      new Mutation("a flush overlooks the writes of other loops", POOL + "LaneDisk", "endData", 1,
          call("setRelease"), Mutation::drop),
      new Mutation("force unit access is forgotten", POOL + "ClusterIo", "begin", 1, put("fua"),
          (code, old) -> code.pop().iconst_0().with(old)),
      new Mutation("a write is acknowledged before its cluster can be found", POOL + "VolumeIo", "awaitEntry", 1,
          call("isFresh"), (code, old) -> code.with(old).pop().iconst_0()),
      new Mutation("a cluster is reused as it is", POOL + "Cleaner", "zeroRun", 1, call("zero"), Mutation::done),
      new Mutation("a cluster is freed twice", POOL + "Cleaner", "clean", 1, call("clear"), Mutation::drop),
      new Mutation("the start of a cluster is deallocated with all the rest of it", POOL + "VolumeIo", "deallocate", 1,
          call("clusterBytes"), (code, _) -> code.pop().lload(7)),
      new Mutation("what is not allocated is read from reused memory", "io.remora.block.Zeros", "fill", 1,
          call("copyFrom"),
          Mutation::drop),
      new Mutation("space is not given back", POOL + "Space", "release", 1, put("mapped"),
          (code, _) -> code.pop2().pop()),
      new Mutation("what was held is not sent again", NVME + "host.HostQueue", "openFence", 1, call("unhold"),
          Mutation::drop),
      new Mutation("the target asks for data of the wrong place", NVME + "tcp.TargetOutput", "requestData", 1,
          opcode(Opcode.LCONST_0), (code, _) -> code.loadConstant(512L)),
      new Mutation("a publication is not stored", "io.remora.engine.Node", "publish", 1, call("store"),
          Mutation::drop));

  private static Predicate<Instruction> call(String method) {
    return instruction -> instruction instanceof InvokeInstruction call && call.name().equalsString(method);
  }

  private static Predicate<Instruction> put(String field) {
    return instruction -> instruction instanceof FieldInstruction access && access.opcode() == Opcode.PUTFIELD
        && access.name().equalsString(field);
  }

  private static Predicate<Instruction> opcode(Opcode opcode) {
    return instruction -> instruction.opcode() == opcode;
  }

  /** The call is not made; it returns nothing. */
  private static void drop(CodeBuilder code, Instruction old) {
    InvokeInstruction call = (InvokeInstruction) old;
    List<ClassDesc> parameters = call.typeSymbol().parameterList();
    for (int i = parameters.size() - 1; i >= 0; i--) {
      if (TypeKind.from(parameters.get(i)).slotSize() == 2) {
        code.pop2();
      } else {
        code.pop();
      }
    }
    if (call.opcode() != Opcode.INVOKESTATIC) {
      code.pop();
    }
  }

  /** The call is not made; it returns a future that is done. */
  private static void done(CodeBuilder code, Instruction old) {
    drop(code, old);
    code.aconst_null().invokestatic(FUTURE, "completedFuture",
        MethodTypeDesc.of(FUTURE, java.lang.constant.ConstantDescs.CD_Object));
  }

  @Override
  public String toString() {
    return name;
  }
}
