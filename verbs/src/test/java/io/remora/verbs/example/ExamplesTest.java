package io.remora.verbs.example;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.verbs.sim.SimFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The examples do what they say. */
class ExamplesTest {
  private static final Map<String, String> SAYS = Map.of("send", "hello from the client", "write",
      "written by the client",
      "read", "what the server has", "write-with-immediate", "told 42, and finds: block 42", "atomic",
      "it was 42, so it was swapped for 7", "window", "for this request only", "send-with-invalidate", "told 'done'",
      "datagram",
      "a datagram");

  @TestFactory
  Stream<DynamicTest> eachRuns() {
    assertThat(Examples.ALL).extracting(Example::name).containsExactlyInAnyOrderElementsOf(SAYS.keySet());
    return Examples.ALL.stream().map(example -> DynamicTest.dynamicTest(example.name(), () -> {
      List<String> said = new ArrayList<>();
      example.run(new SimFabric().provider(), "sim0", said::add);
      assertThat(String.join("\n", said)).contains(SAYS.get(example.name()));
    }));
  }
}
