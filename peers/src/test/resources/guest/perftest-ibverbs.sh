# perftest and this project's ends in one guest, through libibverbs. From outside: CLASS_PATH
. /host/checks.sh

# both KIND JOB...: on that device, anew.
both() {
  java -ea -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m --enable-native-access=ALL-UNNAMED -cp "$CLASS_PATH" \
    io.remora.peers.PerftestInGuest "$(ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')" "$@" || failures=$((failures + 1))
}

must "soft RoCE comes up" rdma-up rxe eth0
both send:4096:500 write:65536:100 read:65536:100 fetch-and-add:8:300 compare-and-swap:8:300
rdma link delete rxe_eth0
must "soft iWARP comes up" rdma-up siw eth0
both write:65536:100 read:65536:100
check "the kernel is content" kernel_is_content
finish
