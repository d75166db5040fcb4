# perftest and this project's ends in one guest, through libibverbs. From outside: CLASS_PATH
. /host/checks.sh

# One Java for both devices: its start is what takes long here.
java_runs() {
  java -ea -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m --enable-native-access=ALL-UNNAMED -cp "$CLASS_PATH" io.remora.peers.PerftestInGuest "$@"
}

# On an interface of its own: so the address says which device is meant.
siw() {
  modprobe dummy
  ip link add other0 type dummy
  ip addr add 10.9.9.1/24 dev other0
  ip link set other0 up
  rdma-up siw other0
}

must "soft RoCE comes up" rdma-up rxe eth0
must "soft iWARP comes up" siw
address=$(ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
java_runs rxe_eth0 "$address" send:4096:500,write:65536:100,read:65536:100,fetch-and-add:8:300,compare-and-swap:8:300 \
  siw_other0 10.9.9.1 write:65536:100,read:65536:100 || failures=$((failures + 1))
check "the kernel is content" kernel_is_content
finish
