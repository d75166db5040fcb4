package io.remora.verbs.ibverbs;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/** The functions of libibverbs that are symbols, under their names without {@code ibv_}. Arguments and results: {@link NativeFunction}. From any thread. */
final class VerbsLibrary {
  final NativeFunction getDeviceList;
  final NativeFunction freeDeviceList;
  final NativeFunction queryDevice;
  final NativeFunction queryPort;
  final NativeFunction queryGidTable;
  final NativeFunction allocPd;
  final NativeFunction deallocPd;
  final NativeFunction regMr;
  final NativeFunction deregMr;
  final NativeFunction createCompChannel;
  final NativeFunction destroyCompChannel;
  final NativeFunction createCq;
  final NativeFunction destroyCq;
  /** Called by {@link DataPath}. */
  final MemorySegment getCqEvent;
  /** Called by {@link DataPath}. */
  final MemorySegment ackCqEvents;
  final NativeFunction createSrq;
  final NativeFunction modifySrq;
  final NativeFunction destroySrq;
  final NativeFunction createQp;
  final NativeFunction modifyQp;
  final NativeFunction queryQp;
  final NativeFunction destroyQp;
  final NativeFunction createAh;
  final NativeFunction destroyAh;
  final NativeFunction getAsyncEvent;
  final NativeFunction ackAsyncEvent;

  /** Throws {@link UnsatisfiedLinkError} when the library is too old. */
  VerbsLibrary(SymbolLookup library) {
    getDeviceList = NativeFunction.pointer(library, "ibv_get_device_list", "L");
    freeDeviceList = NativeFunction.nothing(library, "ibv_free_device_list", "L");
    queryDevice = NativeFunction.status(library, "ibv_query_device", "LL");
    queryPort = NativeFunction.status(library, "ibv_query_port", "LIL");
    queryGidTable = NativeFunction.count(library, "_ibv_query_gid_table", "LLLIL");
    allocPd = NativeFunction.pointer(library, "ibv_alloc_pd", "L");
    deallocPd = NativeFunction.status(library, "ibv_dealloc_pd", "L");
    regMr = NativeFunction.pointer(library, "ibv_reg_mr", "LLLI");
    deregMr = NativeFunction.status(library, "ibv_dereg_mr", "L");
    createCompChannel = NativeFunction.pointer(library, "ibv_create_comp_channel", "L");
    destroyCompChannel = NativeFunction.status(library, "ibv_destroy_comp_channel", "L");
    createCq = NativeFunction.pointer(library, "ibv_create_cq", "LILLI");
    destroyCq = NativeFunction.status(library, "ibv_destroy_cq", "L");
    getCqEvent = NativeFunction.find(library, "ibv_get_cq_event");
    ackCqEvents = NativeFunction.find(library, "ibv_ack_cq_events");
    createSrq = NativeFunction.pointer(library, "ibv_create_srq", "LL");
    modifySrq = NativeFunction.status(library, "ibv_modify_srq", "LLI");
    destroySrq = NativeFunction.status(library, "ibv_destroy_srq", "L");
    createQp = NativeFunction.pointer(library, "ibv_create_qp", "LL");
    modifyQp = NativeFunction.status(library, "ibv_modify_qp", "LLI");
    queryQp = NativeFunction.status(library, "ibv_query_qp", "LLIL");
    destroyQp = NativeFunction.status(library, "ibv_destroy_qp", "L");
    createAh = NativeFunction.pointer(library, "ibv_create_ah", "LL");
    destroyAh = NativeFunction.status(library, "ibv_destroy_ah", "L");
    getAsyncEvent = NativeFunction.status(library, "ibv_get_async_event", "LL");
    ackAsyncEvent = NativeFunction.nothing(library, "ibv_ack_async_event", "L");
  }
}
