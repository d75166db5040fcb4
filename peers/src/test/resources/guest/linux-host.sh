# The kernel's NVMe/TCP initiator, nvme-cli and fio against a node. From outside, beside ADDRESS and PORT:
#   NQN, BYTES       a thin volume for everybody, and its size
#   PRIVATE_NQN      a volume for host ALLOWED_HOST only
#   UUID             the first volume's
# Questions: used (bytes of the pool), resize BYTES (the first volume), connected (hosts of the first volume)
. /host/checks.sh

allowed="--hostnqn=$ALLOWED_HOST --hostid=$(cat /proc/sys/kernel/random/uuid)"

discovers() {
  nvme discover -t tcp -a "$ADDRESS" -s "$PORT" | tee /tmp/discovered
  grep -q "subnqn: *$NQN\$" /tmp/discovered
  grep -q "trsvcid: *$PORT\$" /tmp/discovered
  grep -q "subtype: *nvme subsystem" /tmp/discovered
  ! grep -q "$PRIVATE_NQN" /tmp/discovered || fail "a stranger is shown the private subsystem"
  nvme discover -t tcp -a "$ADDRESS" -s "$PORT" $allowed | grep -q "subnqn: *$PRIVATE_NQN\$"
  kernel_is_content
}

connects() {
  connect "$NQN" "$@"
  is_live "$NQN"
  expect size "$(blockdev --getsize64 "$(disk_of "$NQN")")" "$BYTES"
  kernel_is_content
}

identifies() {
  local c=/dev/$(controller_of "$NQN")
  nvme id-ctrl "$c" | tee /tmp/ctrl
  expect subnqn "$(field subnqn </tmp/ctrl)" "$NQN"
  [ -n "$(field mn </tmp/ctrl)" ]
  [ -n "$(field sn </tmp/ctrl)" ]
  [ -n "$(field fr </tmp/ctrl)" ]
  expect cntrltype "$(field cntrltype </tmp/ctrl)" 1
  [ "$(field ioccsz </tmp/ctrl)" -ge 4 ]
  expect iorcsz "$(field iorcsz </tmp/ctrl)" 1
  expect sqes "$(field sqes </tmp/ctrl)" 0x66
  expect cqes "$(field cqes </tmp/ctrl)" 0x44
  nvme id-ctrl "$c" -H >/dev/null
  nvme list-ns "$c" | grep -q ':0x1$'
  nvme list-subsys | tee /tmp/subsys
  grep -q "NQN=$NQN" /tmp/subsys
  grep -q 'tcp traddr=.* live' /tmp/subsys
  nvme list | grep -q "$(disk_of "$NQN")"
  nvme show-regs "$c" -H | grep -i 'vs\|version'
  kernel_is_content
}

describes_its_namespace() {
  local disk=$(disk_of "$NQN") size
  nvme id-ns "$disk" | tee /tmp/ns
  size=$(cat "/sys/block/${disk##*/}/queue/logical_block_size")
  expect nsze "$(($(field nsze </tmp/ns)))" "$((BYTES / size))"
  expect ncap "$(($(field ncap </tmp/ns)))" "$((BYTES / size))"
  nvme ns-descs "$disk" | tee /tmp/descriptors
  expect uuid "$(cat "/sys/block/${disk##*/}/uuid")" "$UUID"
  [ "$(cat "/sys/block/${disk##*/}/queue/discard_max_bytes")" -gt 0 ]
  [ "$(cat "/sys/block/${disk##*/}/queue/write_zeroes_max_bytes")" -gt 0 ]
  kernel_is_content
}

logs_and_features() {
  local c=/dev/$(controller_of "$NQN")
  nvme smart-log "$c" | tee /tmp/smart
  expect critical_warning "$(field critical_warning </tmp/smart)" 0
  nvme error-log "$c" >/tmp/errors
  grep -q 'Entry\[ *0\]' /tmp/errors
  nvme fw-log "$c"
  # Commands supported and effects: Get Log Page and Identify (admin 2 and 6), Write and Read (I/O 1 and 2) are supported.
  nvme get-log "$c" -i 5 -l 4096 -b >/tmp/effects
  for opcode in 2 6 257 258; do
    expect "effects of $opcode" "$(($(od -An -tu4 -j $((4 * opcode)) -N 4 /tmp/effects) & 1))" 1
  done
  nvme get-feature "$c" -f 7 -H   # number of queues
  nvme get-feature "$c" -f 0x0b   # asynchronous events
  nvme get-feature "$c" -f 0x0f   # keep-alive timer
  kernel_is_content
}

refused() { # STATUS COMMAND...
  local wanted=$1
  shift
  ! "$@" >/tmp/refused 2>&1 || fail "not refused: $*"
  cat /tmp/refused
  grep -qi "$wanted" /tmp/refused || fail "refused with another status than $wanted: $*"
}

# What is wrong is refused with the right status, and the connection lives on.
refuses_what_is_wrong() {
  local disk=$(disk_of "$NQN") c=/dev/$(controller_of "$NQN") size last
  size=$(cat "/sys/block/${disk##*/}/queue/logical_block_size")
  last=$((BYTES / size))
  refused 'LBA Out of Range' nvme read "$disk" -s "$last" -c 0 -z "$size" -d /tmp/data
  refused 'LBA Out of Range' nvme read "$disk" -s $((last - 1)) -c 1 -z $((2 * size)) -d /tmp/data
  refused 'LBA Out of Range' nvme io-passthru "$disk" -o 2 -n 1 --cdw10=0xffffffff --cdw11=0xffffffff --cdw12=7 -l $((8 * size)) -r
  refused 'Invalid Command Opcode' nvme io-passthru "$disk" -o 0x7e -n 1
  refused 'Invalid Command Opcode' nvme admin-passthru "$c" -o 0xfe
  refused 'Invalid Namespace' nvme id-ns "$c" -n 0xfffffff0
  refused 'Invalid Log Page' nvme get-log "$c" -i 0xbe -l 512
  refused 'Invalid Field' nvme admin-passthru "$c" -o 6 --cdw10=0x77 -l 4096 -r
  refused 'Invalid Field' nvme get-feature "$c" -f 0x7e
  is_live "$NQN"
}

# Commands that a file system seldom sends, through nvme-cli.
compare_and_zeroes() {
  local disk=$(disk_of "$NQN") size blocks
  size=$(cat "/sys/block/${disk##*/}/queue/logical_block_size")
  blocks=$((16384 / size - 1))
  head -c 16384 /dev/urandom >/tmp/data
  nvme write "$disk" -s 8 -c $blocks -z 16384 -d /tmp/data
  nvme flush "$disk"
  nvme compare "$disk" -s 8 -c $blocks -z 16384 -d /tmp/data
  nvme read "$disk" -s 8 -c $blocks -z 16384 -d /tmp/back
  cmp /tmp/data /tmp/back
  printf x | dd of=/tmp/data bs=1 seek=9000 conv=notrunc status=none
  ! nvme compare "$disk" -s 8 -c $blocks -z 16384 -d /tmp/data >/tmp/compared 2>&1 || fail "compare finds no difference"
  grep -qi 'compare' /tmp/compared
  nvme write "$disk" -s 8 -c $blocks -z 16384 -d /tmp/data --force-unit-access
  nvme write-zeroes "$disk" -s 9 -c 0
  nvme read "$disk" -s 8 -c $blocks -z 16384 -d /tmp/back
  dd if=/dev/zero of=/tmp/data bs="$size" seek=1 count=1 conv=notrunc status=none
  cmp /tmp/data /tmp/back
  is_live "$NQN"
}

# Features with their select values, and every log that nvme-cli has a command for.
more_logs_and_features() {
  local disk=$(disk_of "$NQN") c=/dev/$(controller_of "$NQN")
  nvme supported-log-pages "$c"
  nvme effects-log "$c"
  # Verify (I/O 0c) changes nothing, Copy (I/O 19) does.
  nvme get-log "$c" -i 5 -l 4096 -b >/tmp/effects
  expect "effects of verify" "$(($(od -An -tu4 -j $((4 * 268)) -N 4 /tmp/effects) & 3))" 1
  expect "effects of copy" "$(($(od -An -tu4 -j $((4 * 281)) -N 4 /tmp/effects) & 3))" 3
  nvme fid-support-effects-log "$c"
  nvme ana-log "$c" | tee /tmp/ana
  grep -qi 'optimized' /tmp/ana
  nvme changed-ns-list-log "$c"
  refused 'Invalid Log Page' nvme get-log "$c" -i 0x0d -l 64
  for id in 1 2 4 5 6 7 0xa 0xb 0xf; do
    nvme get-feature "$c" -f $id
    nvme get-feature "$c" -f $id -s 1
    nvme get-feature "$c" -f $id -s 3
  done
  nvme set-feature "$c" -f 4 -v 0x141
  nvme get-feature "$c" -f 4 | grep -i '0x0*141'
  nvme get-feature "$c" -f 4 -s 1 | grep -i '0x0*ffff'
  nvme get-feature "$c" -f 0xe
  nvme get-feature "$c" -f 0x81 -l 16 --cdw11=1
  refused 'Invalid Field' nvme set-feature "$c" -f 8 -v 1
  refused 'Not Saveable\|NOT_SAVEABLE' nvme set-feature "$c" -f 4 -v 0x141 -s
  is_live "$NQN"
}

copies_and_verifies() {
  local disk=$(disk_of "$NQN") size blocks last
  size=$(cat "/sys/block/${disk##*/}/queue/logical_block_size")
  blocks=$((16384 / size))
  last=$((BYTES / size - 1))
  head -c 16384 /dev/urandom >/tmp/data
  nvme write "$disk" -s 8 -c $((blocks - 1)) -z 16384 -d /tmp/data
  nvme copy "$disk" --sdlba=4096 --slbs=$((8 + blocks / 2)),8 --blocks=$((blocks / 2 - 1)),$((blocks / 2 - 1))
  nvme read "$disk" -s 4096 -c $((blocks - 1)) -z 16384 -d /tmp/back
  cat <(tail -c 8192 /tmp/data) <(head -c 8192 /tmp/data) | cmp - /tmp/back
  nvme verify "$disk" -s 4096 -c $((blocks - 1))
  refused 'LBA Out of Range' nvme verify "$disk" -s "$last" -c 1
  refused 'LBA Out of Range' nvme copy "$disk" --sdlba="$last" --slbs=8 --blocks=1
  refused 'Size Limit' nvme copy "$disk" --sdlba=0 --slbs=8 --blocks=65535
  refused 'Invalid Field' nvme copy "$disk" --sdlba=0 --slbs=8 --blocks=0 --format=1
  is_live "$NQN"
}

# The kernel hears of it and makes its disk read-only, and writable again.
write_protects() {
  local disk=$(disk_of "$NQN") c=/dev/$(controller_of "$NQN")
  is_readonly() { [ "$(blockdev --getro "$disk")" = "$1" ]; }
  head -c 4096 /dev/urandom >/tmp/data
  nvme set-feature "$c" -n 1 -f 0x84 -v 1
  nvme get-feature "$c" -n 1 -f 0x84 | grep -i 'value:0x0*1$'
  within 20 is_readonly 1
  refused 'Write Protected' nvme io-passthru "$c" -o 1 -n 1 --cdw10=0 --cdw12=$((4096 / $(blockdev --getss "$disk") - 1)) -l 4096 -w -i /tmp/data
  nvme read "$disk" -s 0 -c 0 -z "$(blockdev --getss "$disk")" -d /tmp/back
  nvme set-feature "$c" -n 1 -f 0x84 -v 0
  within 20 is_readonly 0
  dd if=/tmp/data of="$disk" bs=4096 count=1 oflag=direct status=none
  is_live "$NQN"
}

# All sizes from the smallest block to the largest transfer and past it, one region of the disk each.
all_block_sizes() {
  local disk=$(disk_of "$NQN") size
  size=$(cat "/sys/block/${disk##*/}/queue/logical_block_size")
  fio_verify smallest "$disk" --rw=randrw --bs="$size" --size=512k --iodepth=32 --offset=0 --stonewall \
    --name=4k-1 --rw=randrw --bs=4k --size=1m --iodepth=1 --offset=8m --stonewall \
    --name=4k-32 --rw=randrw --bs=4k --size=4m --iodepth=32 --offset=16m --stonewall \
    --name=odd --rw=randrw --bs=20k --size=5m --iodepth=7 --offset=24m --stonewall \
    --name=64k --rw=randrw --bs=64k --size=8m --iodepth=16 --offset=32m --stonewall \
    --name=128k --rw=rw --bs=128k --size=8m --iodepth=8 --offset=48m --stonewall \
    --name=1m --rw=randrw --bs=1m --size=16m --iodepth=4 --offset=64m
  kernel_is_content
}

digests() { # OPTION...: a connection with them, small and large transfers both ways
  connect "$NQN" "$@"
  fio_verify digests "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=1m --iodepth=16 --stonewall \
    --name=large --rw=randrw --bs=256k --size=4m --iodepth=4 --offset=8m
  is_live "$NQN"
  kernel_is_content
  disconnect "$NQN"
}

queues() { # COUNT DEPTH: as many as the guest has processors are made, as deep as the controller takes them
  local c wanted=$1 depth=$2 most
  connect "$NQN" -i "$1" -Q "$2"
  c=/sys/class/nvme/$(controller_of "$NQN")
  [ "$wanted" -le "$(nproc)" ] || wanted=$(nproc)
  expect queues "$(cat "$c/queue_count")" "$((wanted + 1))"
  most=$((0x$(nvme get-property "/dev/${c##*/}" --offset=0 | sed -n 's/.*value: *\(0x\)*\([0-9a-f]*\).*/\2/p') & 0xffff))
  [ "$depth" -le $most ] || depth=$((most + 1))
  expect depth "$(cat "$c/sqsize")" "$((depth - 1))"
  fio_verify queues "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=1m --iodepth=64 --numjobs=2 --offset_increment=4m
  kernel_is_content
  disconnect "$NQN"
}

resets() {
  local c=$(controller_of "$NQN")
  echo 1 >"/sys/class/nvme/$c/reset_controller"
  within 20 is_live "$NQN"
  fio_verify reset "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=512k --iodepth=8
}

# Longer than the keep-alive time-out of one second: the connection must not be lost at rest.
rests() {
  connect "$NQN" --keep-alive-tmo=1
  sleep 4
  is_live "$NQN"
  kernel_is_content
  disconnect "$NQN"
}

gives_space_back() {
  local disk=$(disk_of "$NQN") before filled after
  blkdiscard "$disk"
  before=$(ask used)
  dd if=/dev/urandom of="$disk" bs=1M count=24 seek=32 oflag=direct status=none
  filled=$(ask used)
  [ "$filled" -ge $((before + (24 << 20))) ] || fail "24 MiB written, but the pool went from $before to $filled bytes"
  blkdiscard --offset $((32 << 20)) --length $((24 << 20)) "$disk"
  after=$(ask used)
  expect "bytes used in the pool after blkdiscard" "$after" "$before"
  dd if="$disk" bs=1M count=24 skip=32 iflag=direct status=none | cmp -n $((24 << 20)) - /dev/zero
  kernel_is_content
}

writes_zeroes() {
  local disk=$(disk_of "$NQN")
  dd if=/dev/urandom of="$disk" bs=1M count=8 seek=16 oflag=direct status=none
  blkdiscard --zeroout --offset $((17 << 20)) --length $((5 << 20)) "$disk"
  dd if="$disk" bs=1M count=5 skip=17 iflag=direct status=none | cmp -n $((5 << 20)) - /dev/zero
  kernel_is_content
}

sees_the_new_size() {
  local disk=$(disk_of "$NQN") larger=$((BYTES + (64 << 20)))
  is_larger() { [ "$(blockdev --getsize64 "$disk")" = $larger ]; }
  ask resize $larger
  within 20 is_larger
  fio_verify tail "$disk" --rw=randrw --bs=4k --size=1m --iodepth=8 --offset=$((larger - (1 << 20)))
}

refuses_strangers() {
  ! nvme connect -t tcp -a "$ADDRESS" -s "$PORT" -n "$PRIVATE_NQN" || fail "a stranger may connect"
  kernel_says | tee /tmp/dmesg
  grep -q "Connect for subsystem $PRIVATE_NQN is not allowed" /tmp/dmesg
  ! nvme connect -t tcp -a "$ADDRESS" -s "$PORT" -n "$NQN.none" || fail "a subsystem that is not there takes connections"
  kernel_says | grep -q "Connect Invalid Data Parameter, subsysnqn .*$NQN.none"
}

serves_the_allowed_host() {
  connect "$PRIVATE_NQN" $allowed
  fio_verify private "$(disk_of "$PRIVATE_NQN")" --rw=randrw --bs=4k --size=512k --iodepth=8
  kernel_is_content
  disconnect "$PRIVATE_NQN"
}

# The discovery log names the address that the node listens on, which is the machine's outside: forward it from in here.
connects_to_all() {
  local address=$(sed -n 's/^traddr: *//p' /tmp/discovered | head -n 1)
  socat "TCP-LISTEN:$PORT,bind=$address,fork,reuseaddr,nodelay" "TCP:$ADDRESS:$PORT,nodelay" &
  # State 0A is LISTEN.
  within 20 grep -q ":$(printf %04X "$PORT") 00000000:0000 0A " /proc/net/tcp
  nvme connect-all -t tcp -a "$ADDRESS" -s "$PORT"
  within 20 disk_of "$NQN"
  fio_verify all "$(disk_of "$NQN")" --rw=randrw --bs=4k --size=512k --iodepth=8
  kernel_is_content
  disconnect "$NQN"
  kill %1
}

persistent_discovery() {
  local nqn=nqn.2014-08.org.nvmexpress.discovery
  nvme discover -t tcp -a "$ADDRESS" -s "$PORT" --persistent --keep-alive-tmo=2 >/dev/null
  sleep 3
  is_live "$nqn"
  expect kind "$(cat "/sys/class/nvme/$(controller_of "$nqn")/cntrltype")" discovery
  kernel_is_content
  disconnect "$nqn"
}

nobody_left() {
  none_connected() { [ "$(ask connected)" = 0 ]; }
  within 20 none_connected
}

check "discovery shows what a host may see" discovers
must "connect" connects
check "id-ctrl, list-subsys, list, show-regs" identifies
check "id-ns, descriptors, UUID" describes_its_namespace
check "smart-log, error-log, fw-log, effects-log, features" logs_and_features
check "what is wrong is refused with the right status" refuses_what_is_wrong
check "write, compare, write zeroes, FUA by nvme-cli" compare_and_zeroes
check "every log and feature by nvme-cli" more_logs_and_features
check "copy and verify by nvme-cli" copies_and_verifies
check "write protection makes the disk read-only" write_protects
check "fio verify, 512 B to 1 MiB, depth 1 to 32" all_block_sizes
check "blkdiscard gives pool space back" gives_space_back
check "write zeroes" writes_zeroes
check "the kernel sees a new size" sees_the_new_size
check "controller reset" resets
check "disconnect" disconnect "$NQN"
check "header digest" digests --hdr-digest
check "data digest" digests --data-digest
check "both digests" digests --hdr-digest --data-digest
check "2 queues of 64" queues 2 64
check "1 queue of 16" queues 1 16
check "queues of 1024" queues 2 1024
check "keep-alive of 1 s at rest" rests
check "strangers are refused" refuses_strangers
check "the allowed host is served" serves_the_allowed_host
check "connect-all" connects_to_all
check "persistent discovery controller" persistent_discovery
check "no host is left over" nobody_left
finish
