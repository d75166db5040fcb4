/** Block devices and what is stacked on them. Knows nothing of NVMe or of the network. */
module io.remora.block {
  requires transitive io.remora.base;
  requires static org.jspecify;

  exports io.remora.block;
  exports io.remora.block.pool;
}
