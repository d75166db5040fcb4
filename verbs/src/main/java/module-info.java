/** RDMA for the JVM: the verbs and their providers. Knows nothing of storage. */
module io.remora.verbs {
  requires transitive io.remora.base;
  requires static org.jspecify;

  exports io.remora.verbs.example;
  exports io.remora.verbs.ibverbs;
  exports io.remora.verbs.iwarp;
  exports io.remora.verbs.provider;
  exports io.remora.verbs.shm;
  exports io.remora.verbs.sim;
  exports io.remora.verbs.tool;
  exports io.remora.verbs;
}
