package io.remora.tidy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Arrows go down only, and what a run cannot repeat comes through {@code base}. */
class ArchitectureTest {
  /** From the ground up; a floor may use itself and those before it. The room beside, sim, is for the command alone. */
  private static final List<String> FLOORS = List.of("base", "verbs", "block", "nvme", "engine", "sim", "cli");

  private static final JavaClasses CLASSES = new ClassFileImporter()
      .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.remora");

  @TestFactory
  Stream<DynamicTest> arrowsGoDown() {
    return FLOORS.stream().map(floor -> DynamicTest.dynamicTest(floor, () -> {
      String[] above = FLOORS.stream().skip(FLOORS.indexOf(floor) + 1L).map(ArchitectureTest::tree)
          .toArray(String[]::new);
      if (above.length > 0) {
        check(noClasses().that().resideInAPackage(tree(floor)).should().dependOnClassesThat().resideInAnyPackage(above)
            .because("arrows go down only: ARCHITECTURE.md"));
      }
    }));
  }

  @Test
  void blockDevicesKnowNoVerbs() {
    check(noClasses().that().resideInAPackage(tree("block")).should().dependOnClassesThat()
        .resideInAPackage(tree("verbs")).because("the two stand side by side on floor 1: ARCHITECTURE.md"));
  }

  @Test
  void packagesHaveNoCycles() {
    // Loops is the door to the back ends: the one class that looks down into a package of its own.
    check(slices().matching("io.remora.(**)").should().beFreeOfCycles()
        .ignoreDependency(DescribedPredicate.describe("Loops", c -> c.getName().equals("io.remora.base.Loops")),
            DescribedPredicate.alwaysTrue()));
  }

  @Test
  void theLinuxBackEndStaysInside() {
    check(noClasses().that().resideOutsideOfPackage("io.remora.base.linux").and()
        .haveNameNotMatching(".*\\.base\\.Loops.*")
        .should().dependOnClassesThat().resideInAPackage("io.remora.base.linux")
        .because("loops come from io.remora.base.Loops"));
  }

  @Test
  void timeAndRandomnessComeFromTheLoop() {
    check(dataPlane().should().callMethod(System.class, "nanoTime").orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould().callMethod(Math.class, "random").because("use Loop.clock() and Loop.random()"));
    check(dataPlane().should().dependOnClassesThat()
        .belongToAnyOf(java.util.Random.class, java.security.SecureRandom.class,
            java.util.concurrent.ThreadLocalRandom.class, java.time.Clock.class)
        .because("use Loop.clock() and Loop.random()"));
  }

  @Test
  void filesAndSocketsComeFromTheLoop() {
    check(dataPlane().should().dependOnClassesThat().belongToAnyOf(java.nio.file.Files.class, java.io.File.class,
        java.io.RandomAccessFile.class).because("use Loop.disk()"));
    check(dataPlane().should().dependOnClassesThat().resideInAPackage("java.nio.channels..").orShould()
        .dependOnClassesThat()
        .belongToAnyOf(java.net.Socket.class, java.net.ServerSocket.class, java.net.DatagramSocket.class)
        .because("use Loop.net()"));
  }

  @Test
  void threadsComeFromTheLoop() {
    check(
        dataPlane().should().callMethod(Thread.class, "sleep", long.class).orShould().callMethod(Thread.class, "start")
            .orShould().dependOnClassesThat()
            .belongToAnyOf(java.util.concurrent.ExecutorService.class, java.util.Timer.class)
            .because("use Loop.execute, Loop.defer and Loop.timer"));
  }

  @Test
  void noThirdPartyOnTheLowerFloors() {
    DescribedPredicate<JavaClass> foreign = DescribedPredicate.describe("third-party classes", c -> !c.isPrimitive()
        && !c.isArray() && !c.getPackageName().startsWith("java.") && !c.getPackageName().startsWith("io.remora")
        && !c.getPackageName().startsWith("org.jspecify") && !c.getPackageName().startsWith("jdk."));
    check(noClasses().that().resideInAnyPackage(tree("base"), tree("verbs"), tree("block"), tree("nvme")).should()
        .dependOnClassesThat(foreign).because("the lower floors stand on the JDK alone: docs/adr/0001"));
  }

  private static com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction dataPlane() {
    return noClasses().that().resideInAnyPackage(tree("verbs"), tree("block"), tree("nvme"), "io.remora.engine",
        tree("base.sim"), tree("sim"));
  }

  private static String tree(String room) {
    return "io.remora." + room + "..";
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }
}
