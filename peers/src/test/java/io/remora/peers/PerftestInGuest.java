package io.remora.peers;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.cli.rdma.PerftestRun;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import io.remora.verbs.ibverbs.IbverbsProvider;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Runs in the guest: for each job our client against a program of perftest, and a program of perftest against our server, through libibverbs. Prints one line per check. The arguments are
 * {@code DEVICE ADDRESS JOBS}, as often as there are devices; the jobs are those of {@link PerftestProgram}, with commas between.
 */
final class PerftestInGuest {
  private static final int PORT = 18_515;
  private static final int LIMIT_S = 60;

  private final Loop loop;
  private final Provider provider;
  private final DeviceInfo device;
  private final String address;
  private int port = PORT;
  private int failures;

  /** One check. */
  private interface Check {
    void run() throws Exception;
  }

  private PerftestInGuest(Loop loop, Provider provider, DeviceInfo device, String address) {
    this.loop = loop;
    this.provider = provider;
    this.device = device;
    this.address = address;
  }

  public static void main(String[] arguments) {
    Provider provider = new IbverbsProvider();
    int failures = 0;
    try (Loops loops = Loops.start(Loops.Config.of("perftest", 1))) {
      for (int i = 0; i < arguments.length; i += 3) {
        String name = arguments[i];
        DeviceInfo device = provider.devices().stream().filter(each -> each.name().equals(name)).findFirst()
            .orElseThrow();
        failures += new PerftestInGuest(loops.get(0), provider, device, arguments[i + 1]).run(arguments[i + 2]);
      }
    }
    System.exit(failures == 0 ? 0 : 1);
  }

  private int run(String jobs) {
    for (String job : jobs.split(",", -1)) {
      PerftestProgram program = PerftestProgram.parse(job);
      check("our client's " + program.name() + " over " + device.fabric(), () -> measures(program));
      check("our server's " + program.name() + " over " + device.fabric(), () -> serves(program));
    }
    return failures;
  }

  private void check(String name, Check check) {
    port++;
    try {
      check.run();
      System.out.println("ok " + name);
    } catch (Exception | AssertionError e) {
      failures++;
      System.out.println("FAIL " + name + ": " + e);
    }
  }

  private void measures(PerftestProgram program) throws Exception {
    Process server = start(command(program));
    try {
      waitForListener();
      PerftestRun.measure(provider, device.name(), loop, new InetSocketAddress(address, port), program.job());
      program.check(output(server));
    } finally {
      server.destroyForcibly();
    }
  }

  /** A client that comes before the program listens is rejected; the program is not ours and tells nobody when it does, so the kernel is asked now and then. */
  private void waitForListener() throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
    while (!listens()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("nobody listens at port " + port + " after " + LIMIT_S + " s");
      }
      Thread.sleep(20);
    }
  }

  private boolean listens() throws IOException, InterruptedException {
    Pattern listener = Pattern.compile("state LISTEN .*src-addr \\S+:" + port + "\\b");
    return listener.matcher(output(start(List.of("rdma", "resource", "show", "cm_id")))).find();
  }

  private void serves(PerftestProgram program) throws Exception {
    BlockingQueue<String> served = new LinkedBlockingQueue<>();
    PerftestRun.serve(provider, device.name(), loop, new InetSocketAddress(address, port),
        program.job(), served::add);
    List<String> command = command(program);
    command.add(address);
    Process client = start(command);
    try {
      program.check(output(client));
      String end = served.poll(LIMIT_S, TimeUnit.SECONDS);
      if (end == null || !end.endsWith("data verified")) {
        throw new AssertionError("our server says: " + end);
      }
    } finally {
      client.destroyForcibly();
    }
  }

  private List<String> command(PerftestProgram program) {
    List<String> command = new ArrayList<>(program.command(port));
    command.addAll(List.of("-d", device.name()));
    return command;
  }

  private static Process start(List<String> command) throws IOException {
    List<String> limited = new ArrayList<>(List.of("timeout", Integer.toString(LIMIT_S)));
    limited.addAll(command);
    return new ProcessBuilder(limited).redirectErrorStream(true).start();
  }

  /** All that it prints, after it has ended well. */
  private static String output(Process process) throws IOException, InterruptedException {
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    if (code != 0) {
      throw new AssertionError("exit code " + code + ":\n" + said);
    }
    return said;
  }
}
