package io.remora.peers;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A class of tests that boots guests. Where that cannot be done it is skipped, and one line says why. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsGuest.Condition.class)
@interface NeedsGuest {
  /** Asks the guest tool. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (context.getTestMethod().isPresent()) {
        return ConditionEvaluationResult.enabled("the class is");
      }
      List<String> reasons = GuestTool.kernels().stream().map(GuestTool::whyNot).filter(why -> !why.isEmpty()).toList();
      if (reasons.isEmpty()) {
        return ConditionEvaluationResult.enabled("guests can be booted");
      }
      System.out.println(context.getDisplayName() + " skipped: " + reasons.getFirst());
      return ConditionEvaluationResult.disabled(reasons.getFirst());
    }
  }
}
