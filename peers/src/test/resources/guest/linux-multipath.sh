# The kernel's own NVMe/TCP target on ports 4420 and 4421, with one namespace in ANA group 2. It does what the test outside says, one word at
# a time. From outside: NQN. Question: next
. /host/checks.sh

nvmet=/sys/kernel/config/nvmet
subsystem=$nvmet/subsystems/$NQN

exports() {
  modprobe null_blk nr_devices=0
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  local d=/sys/kernel/config/nullb/nullb0
  mkdir "$d"
  echo 64 >"$d/size"
  echo 512 >"$d/blocksize"
  echo 1 >"$d/memory_backed"
  echo 1 >"$d/power"
  within 5 test -b /dev/nullb0
  nvmet-export tcp 10.0.2.15 4420 "$NQN" /dev/nullb0
  mkdir $nvmet/ports/2
  echo tcp >$nvmet/ports/2/addr_trtype
  echo ipv4 >$nvmet/ports/2/addr_adrfam
  echo 10.0.2.15 >$nvmet/ports/2/addr_traddr
  echo 4421 >$nvmet/ports/2/addr_trsvcid
  mkdir $nvmet/ports/1/ana_groups/2 $nvmet/ports/2/ana_groups/2
  echo 2 >"$subsystem/namespaces/1/ana_grpid"
  state 1 optimized
  state 2 optimized
  ln -s "$subsystem" "$nvmet/ports/2/subsystems/$NQN"
}

state() { # PORT STATE
  echo "$2" >"$nvmet/ports/$1/ana_groups/2/ana_state"
}

connections() { # PORT: how many
  ss -Htn state established "( sport = :$1 )" | wc -l
}

both() {
  [ "$(connections 4420)" -ge 2 ] && [ "$(connections 4421)" -ge 2 ]
}

# How many commands' bytes have gone over a port since it was connected to.
received() { # PORT
  ss -Htni state established "( sport = :$1 )" | grep -o 'bytes_received:[0-9]*' | cut -d: -f2 | sort -n | tail -n 1
}

# No I/O over a port any more, while the other one goes on; the host keeps its connections.
moves() { # FROM TO
  local before after other
  sleep 1
  before=$(received "$1")
  other=$(received "$2")
  sleep 3
  after=$(received "$1")
  # Keep-alives and log pages are small.
  [ $((after - before)) -lt 20000 ] || fail "$((after - before)) bytes over the inaccessible port"
  [ $(($(received "$2") - other)) -gt 20000 ] || fail "no I/O over the other port"
  both
}

closes_one() {
  state 1 inaccessible
  moves 4420 4421
}

opens_one() {
  state 1 optimized
  state 2 non-optimized
  moves 4421 4420
  state 2 optimized
}

# Taking the subsystem off a port ends the connections over it; new ones are refused until it is back.
removes_two() {
  rm "$nvmet/ports/2/subsystems/$NQN"
  within 10 eval '[ $(connections 4421) = 0 ]'
  sleep 3
}

returns_two() {
  ln -s "$subsystem" "$nvmet/ports/2/subsystems/$NQN"
  within 60 both
  sleep 2
}

must "nvmet exports one namespace on two ports" exports
while word=$(ask next); do
  case $word in
    connected) check "the host uses both ports" within 60 both ;;
    inaccessible) check "I/O leaves a port that becomes inaccessible" closes_one ;;
    non-optimized) check "I/O prefers the optimized port" opens_one ;;
    remove) check "a port is removed" removes_two ;;
    return) check "the port is back, and so is its path" returns_two ;;
    done) break ;;
  esac
done
check "nvmet and the kernel are content" eval '! kernel_log | grep -E "WARNING|BUG:|I/O error"'
finish
