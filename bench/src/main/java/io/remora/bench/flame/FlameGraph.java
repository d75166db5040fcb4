package io.remora.bench.flame;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * {@code bench/flame}: makes a flame graph (SVG) of what {@code perf script} prints. Each box is a function, as wide as its share of the samples;
 * what it calls stands on it. Main thread.
 */
public final class FlameGraph {
  private static final int WIDTH = 1600;
  private static final int ROW = 17;
  private static final int MARGIN = 10;
  private static final int HEAD = 46;
  private static final double LETTER = 6.6;
  /** Narrower boxes are left out, in pixels. */
  private static final double NARROWEST = 1.5;

  private final PrintStream out;
  private final Frame root;
  private final int height;
  private final double perSample;

  private FlameGraph(PrintStream out, Frame root) {
    this.out = out;
    this.root = root;
    this.perSample = (WIDTH - 2.0 * MARGIN) / root.samples();
    this.height = HEAD + ROW * root.depth((long) Math.ceil(NARROWEST / perSample)) + MARGIN;
  }

  /** {@code bench/flame TITLE}: standard input to standard output. */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      System.err.println("Usage: perf script | bench/flame TITLE > FILE.svg");
      System.exit(2);
    }
    Frame root = PerfScript.read(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    if (root.samples() == 0) {
      System.err
          .println("bench/flame: no samples with calls on standard input; was it recorded with 'perf record -g'?");
      System.exit(1);
    }
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    new FlameGraph(out, root).draw(arguments[0]);
    out.flush();
  }

  private void draw(String title) {
    out.printf(Locale.ROOT,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"monospace\" font-size=\"11\">%n",
        WIDTH, height);
    out.printf("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n");
    out.printf("<text x=\"%d\" y=\"18\" font-size=\"14\">%s</text>%n", MARGIN, escaped(title));
    int x = MARGIN;
    for (Frame.Kind kind : new Frame.Kind[] {Frame.Kind.JAVA, Frame.Kind.NATIVE, Frame.Kind.KERNEL}) {
      String label = kind.name().toLowerCase(Locale.ROOT);
      out.printf("<rect x=\"%d\" y=\"27\" width=\"11\" height=\"11\" fill=\"%s\"/><text x=\"%d\" y=\"37\">%s</text>%n",
          x,
          kind.colour(), x + 16, label);
      x += 90;
    }
    out.printf("<text x=\"%d\" y=\"37\">%d samples; the width is the share of time</text>%n", x, root.samples());
    box(root, MARGIN, 0);
    out.println("</svg>");
  }

  private void box(Frame frame, double x, int level) {
    double width = frame.samples() * perSample;
    if (width < NARROWEST) {
      return;
    }
    int y = height - MARGIN - ROW * (level + 1);
    String name = escaped(frame.name());
    out.printf(Locale.ROOT,
        "<g><title>%s: %.1f %%</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\" stroke=\"white\" stroke-width=\"0.5\"/>",
        name, 100.0 * frame.samples() / root.samples(), x, y, width, ROW - 1, frame.kind().colour());
    int letters = (int) ((width - 4) / LETTER);
    if (letters >= 3) {
      String shown = frame.name().length() <= letters ? frame.name() : shortened(frame.name(), letters);
      out.printf(Locale.ROOT, "<text x=\"%.1f\" y=\"%d\">%s</text>", x + 2, y + 12, escaped(shown));
    }
    out.println("</g>");
    double at = x;
    for (Frame callee : frame.callees()) {
      box(callee, at, level + 1);
      at += callee.samples() * perSample;
    }
  }

  /** The end of a method's name says more than its package. */
  private static String shortened(String name, int letters) {
    int dot = name.lastIndexOf('.', name.lastIndexOf('.') - 1);
    String own = dot < 0 ? name : name.substring(dot + 1);
    return own.length() <= letters ? own : own.substring(0, letters - 1) + "…";
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }
}
