package io.remora.block.pool;

import io.remora.base.Check;
import org.jspecify.annotations.Nullable;

/**
 * Which cluster of the pool holds which cluster of one volume. Belongs to the pool's loop. A tree of three levels that has nodes
 * only where something is mapped: a volume with one cluster takes some 600 bytes.
 */
final class VolumeMap {
  private static final int LEAF_BITS = 6;
  private static final int NODE_BITS = 6;
  private static final int SUBTREE_BITS = LEAF_BITS + NODE_BITS;
  private static final int LEAF = 1 << LEAF_BITS;
  private static final int NODE = 1 << NODE_BITS;

  /** Numbers of clusters in the pool plus one; negative: the cluster that was here last; 0: there never was one. */
  private int @Nullable [] @Nullable [] @Nullable [] root;
  private long clusters;
  private long mapped;

  VolumeMap(long clusters) {
    this.clusters = clusters;
  }

  /** How many are mapped. */
  long mapped() {
    return mapped;
  }

  /** The pool's cluster that holds {@code logical}, or -1. */
  int get(long logical) {
    int[] leaf = leaf(logical);
    return leaf == null ? -1 : Math.max(leaf[(int) logical & LEAF - 1], 0) - 1;
  }

  /** The pool's cluster that held {@code logical}, which is not mapped, before; -1 when none did in this life of the pool. */
  int former(long logical) {
    int[] leaf = leaf(logical);
    return leaf == null ? -1 : Math.max(-leaf[(int) logical & LEAF - 1], 0) - 1;
  }

  /** Maps {@code logical}, which is not mapped. */
  void put(long logical, int cluster) {
    Check.that(logical >= 0 && logical < clusters && cluster >= 0, "cluster %d of a volume of %d", logical, clusters);
    int[][][] nodes = root;
    if (nodes == null) {
      nodes = new int[nodesFor(clusters)][][];
      root = nodes;
    }
    int at = (int) (logical >>> SUBTREE_BITS);
    int[][] node = nodes[at];
    if (node == null) {
      node = new int[NODE][];
      nodes[at] = node;
    }
    int inNode = (int) (logical >>> LEAF_BITS) & NODE - 1;
    int[] leaf = node[inNode];
    if (leaf == null) {
      leaf = new int[LEAF];
      node[inNode] = leaf;
    }
    Check.that(leaf[(int) logical & LEAF - 1] <= 0, "cluster %d is mapped twice", logical);
    leaf[(int) logical & LEAF - 1] = cluster + 1;
    mapped++;
  }

  /** Takes {@code logical} out and returns the pool's cluster that held it, or -1. */
  int remove(long logical) {
    int[] leaf = leaf(logical);
    int inLeaf = (int) logical & LEAF - 1;
    if (leaf == null || leaf[inLeaf] <= 0) {
      return -1;
    }
    int cluster = leaf[inLeaf] - 1;
    leaf[inLeaf] = -leaf[inLeaf];
    mapped--;
    return cluster;
  }

  /** The first mapped cluster at or after {@code logical}, or -1. */
  long next(long logical) {
    long at = logical;
    while (at < clusters && root != null) {
      int[][] node = root[(int) (at >>> SUBTREE_BITS)];
      if (node == null) {
        at = ((at >>> SUBTREE_BITS) + 1) << SUBTREE_BITS;
        continue;
      }
      int[] leaf = node[(int) (at >>> LEAF_BITS) & NODE - 1];
      if (leaf == null) {
        at = ((at >>> LEAF_BITS) + 1) << LEAF_BITS;
        continue;
      }
      if (leaf[(int) at & LEAF - 1] > 0) {
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
    if (root != null) {
      root = java.util.Arrays.copyOf(root, nodesFor(newClusters));
    }
  }

  private static int nodesFor(long clusters) {
    return (int) (((clusters - 1) >>> SUBTREE_BITS) + 1);
  }

  private int @Nullable [] leaf(long logical) {
    if (root == null || logical < 0 || logical >= clusters) {
      return null;
    }
    int[][] node = root[(int) (logical >>> SUBTREE_BITS)];
    return node == null ? null : node[(int) (logical >>> LEAF_BITS) & NODE - 1];
  }
}
