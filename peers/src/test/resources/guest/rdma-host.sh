# The kernel's NVMe/RDMA initiator over siw, nvme-cli and fio against a target that iWARP in user space carries. From outside, beside ADDRESS and PORT:
#   NQN, BYTES       the subsystem with one namespace, and its size
# Questions: kill, restart
. /host/checks.sh

has_siw() {
  rdma-up siw eth0
}

discovers() {
  nvme discover -t rdma -a "$ADDRESS" -s "$PORT" | tee /tmp/discovered
  grep -q "trtype: *rdma\$" /tmp/discovered
  grep -q "subnqn: *$NQN\$" /tmp/discovered
  grep -q "trsvcid: *$PORT\$" /tmp/discovered
  grep -q "rdma_prtype: *iwarp\$" /tmp/discovered
  grep -q "rdma_qptype: *connected\$" /tmp/discovered
  grep -q "rdma_cms: *rdma-cm\$" /tmp/discovered
  kernel_is_content
}

connects() {
  local c
  connect "$NQN" -i 2 -Q 64
  is_live "$NQN"
  c=/dev/$(controller_of "$NQN")
  expect transport "$(cat "/sys/class/nvme/${c##*/}/transport")" rdma
  expect size "$(blockdev --getsize64 "$(disk_of "$NQN")")" "$BYTES"
  nvme id-ctrl "$c" | tee /tmp/ctrl
  # SGLs: bits 0, 2 (keyed) and 20 (offsets in capsules).
  expect sgls "$(($(field sgls </tmp/ctrl) & 0x100005))" $((0x100005))
  expect icdoff "$(field icdoff </tmp/ctrl)" 0
  expect ioccsz "$(field ioccsz </tmp/ctrl)" 260
  kernel_is_content
}

refuses_what_is_wrong() {
  ! nvme connect -t rdma -a "$ADDRESS" -s "$PORT" -n "$NQN.none" || fail "a subsystem that is not there takes connections"
  ! nvme io-passthru "$(disk_of "$NQN")" -o 2 -n 1 --cdw10=0xffffffff --cdw11=0xffffffff --cdw12=7 -l 4096 -r || fail "a read past the end"
  is_live "$NQN"
}

small() { fio_verify small "$(disk_of "$NQN")" --rw=randrw --bs=512 --size=512k --iodepth=16 && kernel_is_content; }
capsules() { fio_verify capsules "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=4m --iodepth=32 && kernel_is_content; }
medium() { fio_verify medium "$(disk_of "$NQN")" --rw=randrw --bs=64k --size=8m --iodepth=8 && kernel_is_content; }
large() { fio_verify large "$(disk_of "$NQN")" --rw=randrw --bs=1m --size=16m --iodepth=4 && kernel_is_content; }

file_system() {
  local disk=$(disk_of "$NQN")
  mkfs.ext4 -q -F "$disk"
  mount "$disk" /mnt
  cp -r /usr/lib/python3.11/json /usr/lib/python3.11/email /mnt
  (cd /mnt && find . -type f -exec md5sum {} + >/tmp/sums)
  sync -f /mnt
  umount /mnt
  echo 3 >/proc/sys/vm/drop_caches
  mount "$disk" /mnt
  (cd /mnt && md5sum --quiet --check /tmp/sums)
  umount /mnt
  fsck.ext4 -fn "$disk"
  kernel_is_content
}

resets() {
  echo 1 >"/sys/class/nvme/$(controller_of "$NQN")/reset_controller"
  within 20 is_live "$NQN"
  fio_verify reset "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=512k --iodepth=8
}

# What is under way when the target is killed is sent again when it is back.
outlives_a_kill() {
  local disk=$(disk_of "$NQN")
  fio_verify killed "$disk" --rw=randrw --bs=16k --size=8m --iodepth=8 --rate=512k >/tmp/fio.log 2>&1 &
  sleep 3
  ask kill
  sleep 2
  ask restart
  within 60 is_live "$NQN"
  wait $!
}

rests() {
  connect "$NQN" --keep-alive-tmo=2
  sleep 6
  is_live "$NQN"
  kernel_is_content
}

must "soft iWARP" has_siw
must "discovery names RDMA, iWARP" discovers
must "connect, identify" connects
check "what is wrong is refused" refuses_what_is_wrong
check "fio verify, 512 bytes" small
check "fio verify, 4 KiB, data in capsules" capsules
check "fio verify, 64 KiB" medium
check "fio verify, 1 MiB" large
check "ext4" file_system
check "controller reset" resets
check "SIGKILL under load, and back" outlives_a_kill
check "rest, with keep-alives" rests
check "disconnect" disconnect "$NQN"
finish
