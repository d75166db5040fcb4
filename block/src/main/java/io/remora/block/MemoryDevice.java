package io.remora.block;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A device in native memory, gone with the process. Shared by any number of loops: its channels read and write the memory
 * directly.
 *
 * <p>Memory is taken in chunks as they are written first, so a sparse device may be far larger than the machine; a chunk that is
 * deallocated or zeroed whole goes back to the machine when the collector finds that no loop uses it any more. A write becomes
 * visible to other loops when it has completed and they learn of that in the usual way (a queue, a message).
 */
public final class MemoryDevice implements BlockDevice {
  private static final int CHUNK_BITS = 20;
  private static final long CHUNK_BYTES = 1L << CHUNK_BITS;
  private static final int LEAF_BITS = 12;
  private static final int LEAF_CHUNKS = 1 << LEAF_BITS;

  private final String name;
  private final UUID uuid;
  private final int blockSize;
  private final Listeners listeners = new Listeners();
  private final AtomicReferenceArray<@Nullable Leaf> leaves;
  private final long sizeBytes;

  private static final class Leaf {
    final AtomicReferenceArray<@Nullable MemorySegment> chunks = new AtomicReferenceArray<>(LEAF_CHUNKS);
  }

  /**
   * A device full of zeros.
   *
   * @param sizeBytes a positive multiple of {@code blockSize}, at most 2^52
   * @param blockSize 512 to 4096, a power of two
   */
  public MemoryDevice(String name, UUID uuid, long sizeBytes, int blockSize) {
    Check.argument(blockSize >= 512 && blockSize <= 4096 && Integer.bitCount(blockSize) == 1,
        "%s: block size %d is not 512, 1024, 2048 or 4096", name, blockSize);
    Check.argument(sizeBytes > 0 && sizeBytes <= 1L << 52 && sizeBytes % blockSize == 0,
        "%s: size %d is no positive multiple of the block size %d", name, sizeBytes, blockSize);
    this.name = name;
    this.uuid = uuid;
    this.sizeBytes = sizeBytes;
    this.blockSize = blockSize;
    this.leaves = new AtomicReferenceArray<>((int) ((sizeBytes - 1) >>> CHUNK_BITS >>> LEAF_BITS) + 1);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public UUID uuid() {
    return uuid;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean canDeallocate() {
    return true;
  }

  @Override
  public boolean volatileCache() {
    return false;
  }

  /** The memory that it holds now, in bytes; walks all of it. */
  public long allocatedBytes() {
    long chunks = 0;
    for (int i = 0; i < leaves.length(); i++) {
      Leaf leaf = leaves.get(i);
      for (int j = 0; leaf != null && j < LEAF_CHUNKS; j++) {
        chunks += leaf.chunks.get(j) == null ? 0 : 1;
      }
    }
    return chunks * CHUNK_BYTES;
  }

  @Override
  public BlockChannel open(Loop loop) {
    return new Channel(loop);
  }

  @Override
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    listeners.remove(listener);
  }

  private @Nullable MemorySegment chunk(long index) {
    Leaf leaf = leaves.get((int) (index >>> LEAF_BITS));
    return leaf == null ? null : leaf.chunks.get((int) index & LEAF_CHUNKS - 1);
  }

  private @Nullable MemorySegment chunkToWrite(long index) {
    MemorySegment chunk = chunk(index);
    return chunk == null ? newChunk(index) : chunk;
  }

  /** A chunk of zeros, or null when the machine (-XX:MaxDirectMemorySize) gives no more memory. */
  private @Nullable MemorySegment newChunk(long index) {
    int leafIndex = (int) (index >>> LEAF_BITS);
    Leaf leaf = leaves.get(leafIndex);
    if (leaf == null) {
      Leaf fresh = new Leaf();
      Leaf other = leaves.compareAndExchange(leafIndex, null, fresh);
      leaf = other == null ? fresh : other;
    }
    MemorySegment fresh;
    try {
      fresh = Arena.ofAuto().allocate(Math.min(CHUNK_BYTES, sizeBytes - (index << CHUNK_BITS)), 4096);
    } catch (OutOfMemoryError e) {
      return null;
    }
    MemorySegment other = leaf.chunks.compareAndExchange((int) index & LEAF_CHUNKS - 1, null, fresh);
    return other == null ? fresh : other;
  }

  private void dropChunk(long index) {
    Leaf leaf = leaves.get((int) (index >>> LEAF_BITS));
    if (leaf != null) {
      leaf.chunks.set((int) index & LEAF_CHUNKS - 1, null);
    }
  }

  private final class Channel extends CheckedChannel {
    Channel(Loop loop) {
      super(MemoryDevice.this, loop);
    }

    /** Lends what lies in one chunk. */
    @Override
    public boolean lend(IoRequest request) {
      long at = request.offset;
      long length = request.length;
      long inChunk = at & CHUNK_BYTES - 1;
      if (closed() || ((at | length) & blockSize - 1) != 0 || at < 0 || length <= 0 || length > CHUNK_BYTES - inChunk
          || at > sizeBytes - length) {
        return false;
      }
      MemorySegment chunk = switch (request.op) {
        case READ -> chunk(at >>> CHUNK_BITS);
        case WRITE -> chunkToWrite(at >>> CHUNK_BITS);
        case FLUSH, WRITE_ZEROES, DEALLOCATE, COMPARE -> null;
      };
      if (chunk == null) {
        return false;
      }
      request.sgl.clear();
      request.sgl.add(chunk, inChunk, length);
      return true;
    }

    @Override
    protected void execute(IoRequest request) {
      Status status = Status.OK;
      if (request.op != IoRequest.Op.FLUSH) {
        long done = 0;
        while (done < request.length && status.isOk()) {
          long at = request.offset + done;
          long inChunk = at & CHUNK_BYTES - 1;
          long take = Math.min(request.length - done, CHUNK_BYTES - inChunk);
          status = part(request, done, at >>> CHUNK_BITS, inChunk, take);
          done += take;
        }
      }
      finish(request, status);
    }

    private Status part(IoRequest request, long from, long index, long inChunk, long length) {
      switch (request.op) {
        case READ -> {
          MemorySegment chunk = chunk(index);
          if (chunk == null) {
            Zeros.fill(request.sgl, from, length);
          } else {
            request.sgl.copyFrom(from, chunk, inChunk, length);
          }
        }
        case WRITE -> {
          MemorySegment chunk = chunkToWrite(index);
          if (chunk == null) {
            return Status.NO_SPACE;
          }
          request.sgl.copyTo(from, chunk, inChunk, length);
        }
        case COMPARE -> {
          return equal(request, from, chunk(index), inChunk, length) ? Status.OK : Status.MISCOMPARE;
        }
        case WRITE_ZEROES, DEALLOCATE -> zero(index, inChunk, length);
        case FLUSH -> {
        }
      }
      return Status.OK;
    }

    private boolean equal(IoRequest request, long from, @Nullable MemorySegment chunk, long inChunk, long length) {
      if (chunk != null) {
        return request.sgl.equalTo(from, chunk, inChunk, length);
      }
      return Zeros.equal(request.sgl, from, length);
    }

    private void zero(long index, long inChunk, long length) {
      MemorySegment chunk = chunk(index);
      if (chunk == null) {
        return;
      }
      if (length == chunk.byteSize()) {
        dropChunk(index);
        return;
      }
      for (long done = 0; done < length; done += Zeros.BYTES) {
        MemorySegment.copy(Zeros.SEGMENT, 0, chunk, inChunk + done, Math.min(Zeros.BYTES, length - done));
      }
    }
  }
}
