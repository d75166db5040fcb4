package io.remora.verbs.ibverbs;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds the devices of this machine. The contexts are those of librdmacm, so that connections and queue pairs share them. From any thread. */
final class DeviceDirectory {
  private static final String CM_DEVICE = "/dev/infiniband/rdma_cm";
  private static final int MAX_DEVICES = 1024;

  private final Libraries libraries;

  DeviceDirectory(Libraries libraries) {
    this.libraries = libraries;
  }

  /** Why no device can be used whatever there is; null when that is not so. */
  @Nullable
  String unavailable() {
    int error = libraries.system().mayOpen(CM_DEVICE);
    if (error == -NativeErrors.ENOENT) {
      return "there is no " + CM_DEVICE
          + ": load the kernel module rdma_ucm (modprobe rdma_ucm); in a container hand in /dev/infiniband";
    }
    if (error < 0) {
      return "no way into " + CM_DEVICE + " (" + NativeErrors.text(-error)
          + "): this user needs read and write permission";
    }
    return null;
  }

  /** All devices; with {@code keep} the contexts stay as they are for the rest of the process's life, even when a device goes. */
  List<NativeDevice> devices(boolean keep) {
    try (Arena arena = Arena.ofConfined()) {
      long counter = arena.allocate(4, 4).address();
      Map<String, Long> contexts = contexts(counter, keep);
      long list = libraries.verbs().getDeviceList.call(counter);
      if (list < 0) {
        return List.of();
      }
      List<NativeDevice> found = new ArrayList<>();
      int count = Math.min(Memory.getInt(counter), MAX_DEVICES);
      for (int i = 0; i < count; i++) {
        found.add(device(Memory.getLong(list + 8L * i), contexts));
      }
      libraries.verbs().freeDeviceList.call(list);
      return found;
    }
  }

  private NativeDevice device(long device, Map<String, Long> contexts) {
    Long context = contexts.get(NativeDevice.name(device));
    if (context != null) {
      return NativeDevice.of(libraries.verbs(), context);
    }
    String path = "/dev/infiniband/" + Memory.text(device + DeviceLayout.DEV_NAME, DeviceLayout.NAME_BYTES);
    int error = libraries.system().mayOpen(path);
    if (error < 0) {
      return NativeDevice.closed(device, "no way into " + path + ": " + NativeErrors.text(-error)
          + "; this user needs read and write permission, a container needs /dev/infiniband");
    }
    String why = unavailable();
    return NativeDevice.closed(device,
        why != null ? why : "librdmacm cannot open it; if it was added just now, start again");
  }

  /** The contexts that librdmacm has open, by device name. */
  private Map<String, Long> contexts(long counter, boolean keep) {
    long list = libraries.cm().getDevices.call(counter);
    Map<String, Long> contexts = new HashMap<>();
    if (list < 0) {
      return contexts;
    }
    int count = Math.min(Memory.getInt(counter), MAX_DEVICES);
    for (int i = 0; i < count; i++) {
      long context = Memory.getLong(list + 8L * i);
      contexts.put(NativeDevice.name(Memory.getLong(context + ContextLayout.DEVICE)), context);
    }
    if (!keep) {
      libraries.cm().freeDevices.call(list);
    }
    return contexts;
  }
}
