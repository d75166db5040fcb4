/** NVMe over Fabrics, both ends: command set, target, host, transports. */
module io.remora.nvme {
  requires transitive io.remora.block;
  requires transitive io.remora.verbs;
  requires static org.jspecify;

  exports io.remora.nvme;
  exports io.remora.nvme.host;
  exports io.remora.nvme.multipath;
  exports io.remora.nvme.rdma;
  exports io.remora.nvme.target;
  exports io.remora.nvme.tcp;
}
