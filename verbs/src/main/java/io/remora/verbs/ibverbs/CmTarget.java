package io.remora.verbs.ibverbs;

import io.remora.base.Loop;

/** Who hears the events of an {@code rdma_cm_id}. */
interface CmTarget {
  /** Where it wants to hear them. From any thread. */
  Loop loop();

  /** On that loop. */
  void onEvent(CmEvent event);
}
