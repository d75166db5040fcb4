# The kernel's own NVMe/RDMA target over siw on port 4420, with one namespace. It does what the test outside says, one word at a time.
# From outside: NQN. Question: next
. /host/checks.sh

subsystem=/sys/kernel/config/nvmet/subsystems/$NQN
port=/sys/kernel/config/nvmet/ports/1

exports() {
  rdma-up siw eth0
  modprobe null_blk nr_devices=1 gb=1 memory_backed=1
  nvmet-export rdma 10.0.2.15 4420 "$NQN" /dev/nullb0
}

# Taking the subsystem off the port ends its connections; new ones are refused until it is back.
breaks() {
  rm "$port/subsystems/$NQN"
  sleep 2
}

mends() {
  ln -s "$subsystem" "$port/subsystems/$NQN"
}

must "nvmet exports a namespace over siw" exports
while word=$(ask next); do
  case $word in
    break) check "the target ends all connections" breaks ;;
    mend) check "the target is back" mends ;;
    done) break ;;
  esac
done
check "nvmet and the kernel are content" eval '! kernel_log | grep -E "WARNING|BUG:|I/O error"'
finish
