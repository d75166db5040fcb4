# Both ends of NVMe/RDMA in the guest over a software device that libibverbs reaches: our host against nvmet-rdma, nvme-rdma against our target.
# From outside: NQN, CLASS_PATH, KIND (rxe or siw), FABRIC (as remora rdma devices says it), TYPE (as NVMe's discovery says it)
. /host/checks.sh

# siw counts what is locked even for root.
ulimit -l unlimited

remora() {
  java -ea -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m --enable-native-access=ALL-UNNAMED -cp "$CLASS_PATH" io.remora.cli.Remora "$@"
}

has_device() {
  rdma-up "$KIND" eth0
  ADDRESS=$(ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
  echo "$ADDRESS" >/tmp/address
  modprobe null_blk nr_devices=1 gb=1 memory_backed=1
  nvmet-export rdma "$ADDRESS" 4420 "$NQN" /dev/nullb0
  remora rdma devices | tee /tmp/devices
  grep -q "ibverbs.*$FABRIC.*eth0.*usable" /tmp/devices
}

bench() { # PORT OPTION...
  remora bench "nvmf+rdma://$ADDRESS:$1/$NQN?provider=ibverbs&queues=1&depth=16" --verify crc32c --json "${@:2}" | tee /tmp/bench
  grep -q '"errors" *: *\[ *\]' /tmp/bench
}

our_host() {
  bench 4420 --bs 4k --rw randrw --iodepth 8 --size 1m
  bench 4420 --bs 128k --rw randrw --iodepth 4 --size 8m
  kernel_is_content
}

our_target() {
  remora target --device mem:64m --nqn "$NQN" --listen "$ADDRESS:4421" --transport rdma --provider ibverbs >/tmp/target 2>&1 &
  within 60 grep -q '^ready: ' /tmp/target
  nvme discover -t rdma -a "$ADDRESS" -s 4421 | tee /tmp/discovered
  grep -q "rdma_prtype: *$TYPE\$" /tmp/discovered
  PORT=4421 TRANSPORT=rdma connect "$NQN" -i 1 -Q 32
  fio_verify small "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=1m --iodepth=16
  fio_verify large "$(disk_of "$NQN")" --rw=randrw --bs=256k --size=4m --iodepth=4
  kernel_is_content
  disconnect "$NQN"
  bench 4421 --bs 4k --rw randrw --iodepth 8 --size 1m
  # The job is a shell around the program.
  kill "$(pidof java)"
  within 30 eval '! pidof java'
}

must "a $KIND device, and the kernel's target on it" has_device
ADDRESS=$(cat /tmp/address)
check "our host against nvmet-rdma, through ibverbs" our_host
check "nvme-rdma and our host against our target, through ibverbs" our_target
finish
