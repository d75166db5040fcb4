package io.remora.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizesTest {
  @ParameterizedTest
  @CsvSource({"0,0", "512,512", "4k,4096", "4K,4096", "4kb,4096", "4KiB,4096", "64MiB,67108864", "10g,10737418240",
    "10GiB,10737418240", "1t,1099511627776", "100b,100", "7p,7881299347898368",
    "9223372036854775807,9223372036854775807"})
  void readsWhatFioReads(String text, long bytes) {
    assertThat(Sizes.parse(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "k", "-1", "1.5g", "4 k", "4x", "4kk", "0x10", "4ki", "١k"})
  void refusesWhatIsNoSize(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Sizes.parse(text)).withMessageContaining("'" + text + "'")
        .withMessageContaining("64MiB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"8192p", "9223372036854775808", "99999999999999999g"})
  void refusesWhatDoesNotFit(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Sizes.parse(text)).withMessageContaining("8 EiB");
  }

  @ParameterizedTest
  @CsvSource({"0,0 B", "1023,1023 B", "1024,1 KiB", "1536,1.5 KiB", "67108864,64 MiB", "1610612736,1.5 GiB",
    "1099511627776,1 TiB", "9223372036854775807,8192 PiB"})
  void writesForPeople(long bytes, String text) {
    assertThat(Sizes.format(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"512,512", "4096,4k", "131072,128k", "1048576,1m", "1049600,1025k", "0,0"})
  void writesAsFio(long bytes, String text) {
    assertThat(Sizes.brief(bytes)).isEqualTo(text);
  }

  @Test
  void readsBackWhatItWrites() {
    for (long bytes = 1; bytes > 0; bytes <<= 1) {
      assertThat(Sizes.parse(Sizes.brief(bytes))).isEqualTo(bytes);
    }
  }
}
