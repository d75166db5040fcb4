package io.remora.verbs.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What the provider says where there is nothing to work with. */
class IbverbsProviderTest {
  @Test
  void saysWhatToInstall() {
    assertThatThrownBy(() -> Libraries.load("libnosuchverbs.so.1", "librdmacm.so.1")).isInstanceOf(LinkageError.class)
        .hasMessageContaining("libnosuchverbs.so.1 is not there").hasMessageContaining("install rdma-core");
  }

  @Test
  void saysThatALibraryIsTooOld() {
    assertThatThrownBy(() -> Libraries.load("libc.so.6", "libc.so.6")).isInstanceOf(LinkageError.class)
        .hasMessageContaining("libc.so.6 is too old").hasMessageContaining("ibv_");
  }

  @Test
  void hasDevicesOrAReason() {
    IbverbsProvider provider = new IbverbsProvider();
    assertThat(provider.name()).isEqualTo("ibverbs");
    String unavailable = provider.unavailable();
    if (unavailable == null) {
      assertThat(provider.devices()).isNotEmpty().allMatch(device -> device.provider().equals("ibverbs"));
    } else {
      assertThat(unavailable).isNotBlank();
    }
  }

  @Test
  void refusesADeviceThatThereIsNot() {
    IbverbsProvider provider = new IbverbsProvider();
    try (Loops loops = Loops.start(Loops.Config.of("ibverbs", 1))) {
      CompletableFuture<Object> opened = CompletableFuture.supplyAsync(() -> provider.open(loops.get(0), "nosuch0"),
          loops.get(0));
      assertThatThrownBy(opened::join).isInstanceOf(CompletionException.class).cause()
          .isInstanceOfSatisfying(RemoraException.class, e -> {
            assertThat(e.status()).isIn(Status.NOT_FOUND, Status.UNSUPPORTED);
            assertThat(e).hasMessageContaining("ibverbs");
          });
    }
  }
}
