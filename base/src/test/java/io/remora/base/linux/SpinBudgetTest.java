package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** {@link SpinBudget} learns from sleeps. */
class SpinBudgetTest {
  @Test
  void shrinksToNothingWhereWorkIsRare() {
    SpinBudget budget = new SpinBudget(50_000);
    assertThat(budget.spins(49_999)).isTrue();
    assertThat(budget.spins(50_000)).isFalse();
    for (int i = 0; i < 10; i++) {
      budget.slept(10_000_000);
    }
    assertThat(budget.nowNs()).isZero();
    assertThat(budget.spins(0)).isFalse();
  }

  @Test
  void growsBackWhereASleepWasShort() {
    SpinBudget budget = new SpinBudget(50_000);
    for (int i = 0; i < 10; i++) {
      budget.slept(10_000_000);
    }
    for (int i = 0; i < 4; i++) {
      budget.slept(40_000);
    }
    assertThat(budget.nowNs()).isEqualTo(50_000);
  }

  @Test
  void theExtremes() {
    SpinBudget never = new SpinBudget(0);
    never.slept(0);
    assertThat(never.spins(0)).isFalse();
    SpinBudget always = new SpinBudget(Long.MAX_VALUE);
    always.slept(1);
    assertThat(always.spins(Long.MAX_VALUE)).isTrue();
  }
}
