package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A provider whose devices say that they have no memory windows, as kernels' software devices have none. */
record WithoutWindows(Provider provider) implements Provider {
  @Override
  public String name() {
    return provider.name();
  }

  @Override
  public @Nullable String unavailable() {
    return provider.unavailable();
  }

  @Override
  public List<DeviceInfo> devices() {
    return provider.devices();
  }

  @Override
  public Context open(Loop loop, String device) {
    return new Device(provider.open(loop, device));
  }

  private record Device(Context device) implements Context {
    @Override
    public Loop loop() {
      return device.loop();
    }

    @Override
    public DeviceAttributes attributes() {
      DeviceAttributes a = device.attributes();
      Set<Capability> fewer = EnumSet.copyOf(a.capabilities());
      fewer.remove(Capability.MEMORY_WINDOWS);
      fewer.remove(Capability.SEND_WITH_INVALIDATE);
      return new DeviceAttributes(a.provider(), a.name(), fewer, a.maxQueuePairs(), a.maxWorkRequests(), a.maxPieces(),
          a.maxReadPieces(),
          a.maxInlineBytes(), a.maxCompletions(), a.maxRegions(), a.maxReads(), a.maxMessageBytes(),
          a.maxDatagramBytes(),
          a.maxPrivateDataBytes());
    }

    @Override
    public ProtectionDomain allocateProtectionDomain() {
      return device.allocateProtectionDomain();
    }

    @Override
    public CompletionQueue createCompletionQueue(int entries, @Nullable Runnable onEvent) {
      return device.createCompletionQueue(entries, onEvent);
    }

    @Override
    public ConnectionManager connectionManager() {
      return device.connectionManager();
    }

    @Override
    public void onAsyncEvent(@Nullable Consumer<AsyncEvent> listener) {
      device.onAsyncEvent(listener);
    }

    @Override
    public MemorySegment allocate(Arena arena, long bytes) {
      return device.allocate(arena, bytes);
    }

    @Override
    public void close() {
      device.close();
    }
  }
}
