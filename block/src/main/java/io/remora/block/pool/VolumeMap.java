package io.remora.block.pool;

import io.remora.base.Check;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which cluster of the pool holds which cluster of one volume. A tree of three levels that has nodes only where something is mapped:
 * a volume with one cluster takes some 600 bytes.
 *
 * <p>Changed on the pool's loop; {@link #get} and {@link #fresh} may be called from any thread. Nodes and entries are published with
 * release and read with acquire; a node once published stays where it is, so who looks sees each entry as it is or as it was a
 * moment ago.
 */
final class VolumeMap {
  private static final VarHandle NODES = MethodHandles.arrayElementVarHandle(int[][][].class);
  private static final VarHandle LEAVES = MethodHandles.arrayElementVarHandle(int[][].class);
  private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(int[].class);

  private static final int LEAF_BITS = 6;
  private static final int NODE_BITS = 6;
  private static final int SUBTREE_BITS = LEAF_BITS + NODE_BITS;
  private static final int LEAF = 1 << LEAF_BITS;
  private static final int NODE = 1 << NODE_BITS;
  /** Behind its entries a leaf has one bit for each. */
  private static final int LEAF_INTS = LEAF + LEAF / Integer.SIZE;

  /** Numbers of clusters in the pool plus one; negative: the cluster that was here last; 0: there never was one. */
  private volatile int @Nullable [] @Nullable [] @Nullable [] root;
  private long clusters;
  private long mapped;

  VolumeMap(long clusters) {
    this.clusters = clusters;
  }

  /** How many are mapped. */
  long mapped() {
    return mapped;
  }

  /** The pool's cluster that holds {@code logical}, or -1. From any thread. */
  int get(long logical) {
    int[] leaf = leaf(logical);
    return leaf == null ? -1 : Math.max((int) ENTRIES.getAcquire(leaf, inLeaf(logical)), 0) - 1;
  }

  /**
   * Whether the entry in the pool's table that maps {@code logical} may not be on the disk yet. From any thread: who asks after
   * {@link #get} hears of what that gave, or of something later.
   */
  boolean fresh(long logical) {
    int[] leaf = leaf(logical);
    return leaf != null && ((int) ENTRIES.getAcquire(leaf, word(logical)) & bit(logical)) != 0;
  }

  /** The pool's cluster that held {@code logical}, which is not mapped, before; -1 when none did in this life of the pool. */
  int former(long logical) {
    int[] leaf = leaf(logical);
    return leaf == null ? -1 : Math.max(-leaf[inLeaf(logical)], 0) - 1;
  }

  /** Maps {@code logical}, which is not mapped, as the table on the disk says. */
  void put(long logical, int cluster) {
    put(logical, cluster, false);
  }

  /** Maps {@code logical}, which is not mapped; the table on the disk does not say so yet. */
  void putFresh(long logical, int cluster) {
    put(logical, cluster, true);
  }

  private void put(long logical, int cluster, boolean fresh) {
    Check.that(logical >= 0 && logical < clusters && cluster >= 0, "cluster %d of a volume of %d", logical, clusters);
    int[] leaf = leafToChange(logical);
    Check.that(leaf[inLeaf(logical)] <= 0, "cluster %d is mapped twice", logical);
    int word = leaf[word(logical)];
    // Before the entry: nobody may find a mapping and miss that it is fresh.
    ENTRIES.setRelease(leaf, word(logical), fresh ? word | bit(logical) : word & ~bit(logical));
    ENTRIES.setRelease(leaf, inLeaf(logical), cluster + 1);
    mapped++;
  }

  /** The entry that maps {@code logical} is on the disk. */
  void settle(long logical) {
    int[] leaf = leaf(logical);
    if (leaf != null) {
      ENTRIES.setRelease(leaf, word(logical), leaf[word(logical)] & ~bit(logical));
    }
  }

  /** Takes {@code logical} out and returns the pool's cluster that held it, or -1. */
  int remove(long logical) {
    int[] leaf = leaf(logical);
    if (leaf == null || leaf[inLeaf(logical)] <= 0) {
      return -1;
    }
    int entry = leaf[inLeaf(logical)];
    ENTRIES.setRelease(leaf, inLeaf(logical), -entry);
    mapped--;
    return entry - 1;
  }

  /** The first mapped cluster at or after {@code logical}, or -1. */
  long next(long logical) {
    int[][][] nodes = root;
    long at = logical;
    while (at < clusters && nodes != null) {
      int[][] node = nodes[(int) (at >>> SUBTREE_BITS)];
      if (node == null) {
        at = ((at >>> SUBTREE_BITS) + 1) << SUBTREE_BITS;
        continue;
      }
      int[] leaf = node[inNode(at)];
      if (leaf == null) {
        at = ((at >>> LEAF_BITS) + 1) << LEAF_BITS;
        continue;
      }
      if (leaf[inLeaf(at)] > 0) {
        return at;
      }
      at++;
    }
    return -1;
  }

  /** The volume has another size; clusters beyond a smaller one must have been taken out. */
  void resize(long newClusters) {
    Check.that(next(newClusters) < 0, "clusters beyond the new end are still mapped");
    clusters = newClusters;
    int[][][] nodes = root;
    if (nodes != null) {
      root = Arrays.copyOf(nodes, nodesFor(newClusters));
    }
  }

  private static int nodesFor(long clusters) {
    return (int) (((clusters - 1) >>> SUBTREE_BITS) + 1);
  }

  private static int inNode(long logical) {
    return (int) (logical >>> LEAF_BITS) & NODE - 1;
  }

  private static int inLeaf(long logical) {
    return (int) logical & LEAF - 1;
  }

  private static int word(long logical) {
    return LEAF + inLeaf(logical) / Integer.SIZE;
  }

  private static int bit(long logical) {
    return 1 << (int) logical;
  }

  private int @Nullable [] leaf(long logical) {
    int[][][] nodes = root;
    int at = (int) (logical >>> SUBTREE_BITS);
    if (nodes == null || at < 0 || at >= nodes.length) {
      return null;
    }
    int[][] node = (int[][]) NODES.getAcquire(nodes, at);
    return node == null ? null : (int[]) LEAVES.getAcquire(node, inNode(logical));
  }

  private int[] leafToChange(long logical) {
    int[][][] nodes = root;
    if (nodes == null) {
      nodes = new int[nodesFor(clusters)][][];
      root = nodes;
    }
    int at = (int) (logical >>> SUBTREE_BITS);
    int[][] node = nodes[at];
    if (node == null) {
      node = new int[NODE][];
      NODES.setRelease(nodes, at, node);
    }
    int[] leaf = node[inNode(logical)];
    if (leaf == null) {
      leaf = new int[LEAF_INTS];
      LEAVES.setRelease(node, inNode(logical), leaf);
    }
    return leaf;
  }
}
