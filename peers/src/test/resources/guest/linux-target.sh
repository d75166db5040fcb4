# The kernel's own NVMe/TCP target on port 4420, with two namespaces: 512-byte blocks of 64 MiB, 4096-byte blocks of 32 MiB. It does what the test
# outside says, one word at a time. From outside: NQN. Question: next
. /host/checks.sh

subsystem=/sys/kernel/config/nvmet/subsystems/$NQN
port=/sys/kernel/config/nvmet/ports/1

null_disk() { # NAME MIB BLOCK_SIZE: a disk in memory
  local d=/sys/kernel/config/nullb/$1
  mkdir "$d"
  echo "$2" >"$d/size"
  echo "$3" >"$d/blocksize"
  echo 1 >"$d/memory_backed"
  echo 1 >"$d/discard"
  echo 1 >"$d/power"
  within 5 test -b "/dev/$1"
}

exports() {
  modprobe null_blk nr_devices=0
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  null_disk nullb0 64 512
  null_disk nullb1 32 4096
  nvmet-export tcp 10.0.2.15 4420 "$NQN" /dev/nullb0 /dev/nullb1
}

# Taking the subsystem off the port ends its connections; new ones are refused until it is back.
breaks() {
  connected
  rm "$port/subsystems/$NQN"
  within 10 eval '! connected'
}

mends() {
  ln -s "$subsystem" "$port/subsystems/$NQN"
  within 60 connected
}

connected() {
  ss -Htn state established '( sport = :4420 )' | grep -q .
}

# Nothing comes through for a while, and no connection is closed.
stalls() {
  modprobe sch_netem
  tc qdisc add dev eth0 root netem loss 100%
  sleep 3
  tc qdisc del dev eth0 root
}

must "nvmet exports two namespaces" exports
while word=$(ask next); do
  case $word in
    break) check "the target ends all connections" breaks ;;
    mend) check "the target is back, and so is its host" mends ;;
    stall) check "the network stalled for 3 s" stalls ;;
    done) break ;;
  esac
done
check "nvmet and the kernel are content" eval '! kernel_log | grep -E "WARNING|BUG:|I/O error"'
finish
