package io.remora.verbs.ibverbs;

import java.lang.foreign.SymbolLookup;

/** The functions of librdmacm, under their names without {@code rdma_}. Arguments and results: {@link NativeFunction}. From any thread. */
final class CmLibrary {
  final NativeFunction getDevices;
  final NativeFunction freeDevices;
  final NativeFunction createEventChannel;
  final NativeFunction destroyEventChannel;
  final NativeFunction createId;
  final NativeFunction destroyId;
  final NativeFunction bindAddr;
  final NativeFunction resolveAddr;
  final NativeFunction resolveRoute;
  final NativeFunction listen;
  final NativeFunction connect;
  final NativeFunction accept;
  final NativeFunction reject;
  final NativeFunction disconnect;
  final NativeFunction establish;
  final NativeFunction initQpAttr;
  final NativeFunction getCmEvent;
  final NativeFunction ackCmEvent;
  final NativeFunction migrateId;

  /** Throws {@link UnsatisfiedLinkError} when the library is too old. */
  CmLibrary(SymbolLookup library) {
    getDevices = NativeFunction.pointer(library, "rdma_get_devices", "L");
    freeDevices = NativeFunction.nothing(library, "rdma_free_devices", "L");
    createEventChannel = NativeFunction.pointer(library, "rdma_create_event_channel", "");
    destroyEventChannel = NativeFunction.nothing(library, "rdma_destroy_event_channel", "L");
    createId = NativeFunction.status(library, "rdma_create_id", "LLLI");
    destroyId = NativeFunction.status(library, "rdma_destroy_id", "L");
    bindAddr = NativeFunction.status(library, "rdma_bind_addr", "LL");
    resolveAddr = NativeFunction.status(library, "rdma_resolve_addr", "LLLI");
    resolveRoute = NativeFunction.status(library, "rdma_resolve_route", "LI");
    listen = NativeFunction.status(library, "rdma_listen", "LI");
    connect = NativeFunction.status(library, "rdma_connect", "LL");
    accept = NativeFunction.status(library, "rdma_accept", "LL");
    reject = NativeFunction.status(library, "rdma_reject", "LLI");
    disconnect = NativeFunction.status(library, "rdma_disconnect", "L");
    establish = NativeFunction.status(library, "rdma_establish", "L");
    initQpAttr = NativeFunction.status(library, "rdma_init_qp_attr", "LLL");
    getCmEvent = NativeFunction.status(library, "rdma_get_cm_event", "LL");
    ackCmEvent = NativeFunction.status(library, "rdma_ack_cm_event", "L");
    migrateId = NativeFunction.status(library, "rdma_migrate_id", "LL");
  }
}
