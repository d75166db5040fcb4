package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.engine.DiskChoice;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class OptionsTest {
  @ParameterizedTest
  @CsvSource({"/dev/vdb,/dev/vdb,0", "/srv/a.pool:20GiB,/srv/a.pool,21474836480", "a:b,a:b,0", "a:4k:0,a:4k,0",
    "rel.img:64m,rel.img,67108864"})
  void readsDisks(String text, Path path, long size) {
    assertThat(Disks.parse(text)).isEqualTo(new DiskChoice(path, size));
  }

  @Test
  void refusesDisksWithoutAPath() {
    assertThatThrownBy(() -> Disks.parse(":10g")).isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("PATH[:SIZE]");
    assertThatThrownBy(() -> new Disks.NamedConverter().convert("/srv/a.pool:10g"))
        .isInstanceOf(TypeConversionException.class).hasMessageContaining("NAME=PATH[:SIZE]");
  }

  @ParameterizedTest
  @CsvSource({"0,0", "10,10000000000", "10s,10000000000", "0.5,500000000", "250ms,250000000", "2m,120000000000",
    "1h,3600000000000"})
  void readsTimes(String text, long ns) {
    assertThat(new Converters.Time().convert(text)).isEqualTo(ns);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "1d", "s", "1.", "1e3"})
  void refusesWhatIsNoTime(String text) {
    assertThatThrownBy(() -> new Converters.Time().convert(text)).isInstanceOf(TypeConversionException.class);
  }

  @Test
  void readsCores() {
    assertThat(new Converters.Cores().convert("0-3,6")).containsExactly(0, 1, 2, 3, 6);
    for (String wrong : new String[] {"", "a", "3-1", "1,", "-1", "5000"}) {
      assertThatThrownBy(() -> new Converters.Cores().convert(wrong)).as(wrong)
          .isInstanceOf(TypeConversionException.class);
    }
  }

  @Test
  void readsDevices() {
    assertThat(DeviceUri.parse("mem:64m")).isEqualTo(new DeviceUri.Memory(64 << 20));
    assertThat(DeviceUri.parse("null:1g")).isEqualTo(new DeviceUri.Null(1 << 30));
    assertThat(DeviceUri.parse("file:/dev/vdb")).isEqualTo(new DeviceUri.File(Path.of("/dev/vdb"), 0));
    assertThat(DeviceUri.parse("file:/tmp/a:1m")).isEqualTo(new DeviceUri.File(Path.of("/tmp/a"), 1 << 20));
    assertThat(DeviceUri.parse("nvmf+tcp://[::1]:4420/nqn.2026-01.io.remora:a")).isInstanceOf(DeviceUri.Remote.class);
    assertThat(DeviceUri.parse("nvmf+rdma://[::1]:4420/nqn.2026-01.io.remora:a?provider=shm"))
        .isInstanceOf(DeviceUri.Remote.class);
    assertThat(DeviceUri.parse("nvmf+tcp://a:1,b/nqn.2026-01.io.remora:a?policy=local&discover=1"))
        .isInstanceOf(DeviceUri.Remote.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"policy=best", "discover=2", "fail-fast=soon", "loss-timeout=-1", "hold=1"})
  void refusesParametersThatItDoesNotKnow(String parameter) {
    assertThatThrownBy(() -> DeviceUri.parse("nvmf+tcp://a,b/nqn.2026-01.io.remora:a?" + parameter))
        .isInstanceOf(RemoraException.class).hasMessageContaining(parameter.split("=")[0]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "mem", "mem:", "mem:x", "disk:/a", "file:", "/dev/vdb",
    "nvmf+udp://h:1/nqn.2026-01.io.x:a",
    "nvmf+tcp://h:1/", "nvmf+tcp://a,a/nqn.2026-01.io.x:a"})
  void refusesWhatIsNoDevice(String text) {
    assertThatThrownBy(() -> DeviceUri.parse(text)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("'" + text + "'");
  }
}
