package io.remora.base.sim;

import io.remora.base.Sgl;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sparse memory that is cheap to copy: a page is never changed, only replaced, and copies share pages and nodes until one of
 * them writes. What was never written reads as zeros and takes no space. Belongs to the simulation's thread.
 */
final class SparseBytes {
  static final int PAGE_BYTES = 4096;
  private static final int NODE_PAGES = 512;
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE_BYTES]).asReadOnly();

  private static final class Node {
    final Object owner;
    final @Nullable MemorySegment[] pages;

    Node(Object owner, @Nullable MemorySegment[] pages) {
      this.owner = owner;
      this.pages = pages;
    }
  }

  private final Map<Long, Node> nodes;
  private Object owner = new Object();
  private long allocatedPages;

  SparseBytes() {
    this.nodes = new HashMap<>();
  }

  private SparseBytes(SparseBytes other) {
    this.nodes = new HashMap<>(other.nodes);
    this.allocatedPages = other.allocatedPages;
  }

  /** A copy; neither sees what is written to the other from now on. */
  SparseBytes fork() {
    owner = new Object();
    return new SparseBytes(this);
  }

  /** The space that it takes, in whole pages. */
  long allocatedBytes() {
    return allocatedPages * PAGE_BYTES;
  }

  /** How much {@link #allocatedBytes} would grow by writing the range. */
  long missingBytes(long offset, long length) {
    long missing = 0;
    for (long page = offset / PAGE_BYTES; page * PAGE_BYTES < offset + length; page++) {
      missing += page(page) == null ? PAGE_BYTES : 0;
    }
    return missing;
  }

  /** Copies the range into {@code target}. */
  void read(long offset, MemorySegment target) {
    for (long done = 0; done < target.byteSize();) {
      long at = (offset + done) % PAGE_BYTES;
      long take = Math.min(target.byteSize() - done, PAGE_BYTES - at);
      MemorySegment.copy(content((offset + done) / PAGE_BYTES), at, target, done, take);
      done += take;
    }
  }

  /** Copies the range into the list's memory from its front on. */
  void read(long offset, Sgl target, long length) {
    for (long done = 0; done < length;) {
      long at = (offset + done) % PAGE_BYTES;
      long take = Math.min(length - done, PAGE_BYTES - at);
      target.copyFrom(done, content((offset + done) / PAGE_BYTES), at, take);
      done += take;
    }
  }

  /** Writes {@code source}, which nobody ever changes, to {@code offset}: whole pages are kept and not copied. */
  void write(long offset, MemorySegment source) {
    for (long done = 0; done < source.byteSize();) {
      long at = (offset + done) % PAGE_BYTES;
      long take = Math.min(source.byteSize() - done, PAGE_BYTES - at);
      if (take == PAGE_BYTES) {
        put((offset + done) / PAGE_BYTES, source.asSlice(done, take));
      } else {
        replace((offset + done) / PAGE_BYTES, at, source, done, take);
      }
      done += take;
    }
  }

  /** Makes the range read as zeros; what is allocated stays so. */
  void zero(long offset, long length) {
    clear(offset, length, false);
  }

  /** Makes the range read as zeros and gives whole pages back. */
  void punch(long offset, long length) {
    clear(offset, length, true);
  }

  private void clear(long offset, long length, boolean giveBack) {
    for (long done = 0; done < length;) {
      long index = (offset + done) / PAGE_BYTES;
      long at = (offset + done) % PAGE_BYTES;
      long take = Math.min(length - done, PAGE_BYTES - at);
      if (page(index) != null) {
        if (take == PAGE_BYTES) {
          put(index, giveBack ? null : ZEROS);
        } else {
          replace(index, at, ZEROS, 0, take);
        }
      }
      done += take;
    }
  }

  private void replace(long index, long at, MemorySegment source, long sourceOffset, long length) {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE_BYTES]).copyFrom(content(index));
    MemorySegment.copy(source, sourceOffset, page, at, length);
    put(index, page);
  }

  private MemorySegment content(long index) {
    MemorySegment page = page(index);
    return page == null ? ZEROS : page;
  }

  private @Nullable MemorySegment page(long index) {
    Node node = nodes.get(index / NODE_PAGES);
    return node == null ? null : node.pages[(int) (index % NODE_PAGES)];
  }

  private void put(long index, @Nullable MemorySegment page) {
    Node node = nodes.get(index / NODE_PAGES);
    if (node == null || !node.owner.equals(owner)) {
      node = new Node(owner, node == null ? new @Nullable MemorySegment[NODE_PAGES] : node.pages.clone());
      nodes.put(index / NODE_PAGES, node);
    }
    int slot = (int) (index % NODE_PAGES);
    allocatedPages += (page == null ? 0 : 1) - (node.pages[slot] == null ? 0 : 1);
    node.pages[slot] = page;
  }
}
