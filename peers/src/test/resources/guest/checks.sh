# Sourced by the scripts that run in the guest: checks of one line each, questions to the test outside, and what the scripts share.
# From outside come $ADDRESS and $PORT of the target, and $TRANSPORT unless it is tcp. Nothing here may be left unanswered for ever: every wait has an end.
set -u
exec 8>&1
failures=0
kernel_said=0
mkdir -p /tmp/checks

# check NAME COMMAND ARG...: runs it with "set -e" in a shell of its own; one line, and on failure what it said and what the kernel said.
check() {
  local name=$1 code
  shift
  kernel_said=$(kernel_log | wc -l)
  (set -e; "$@") >/tmp/checks/said 2>&1
  code=$?
  if [ $code = 0 ]; then
    echo "ok $name"
  else
    echo "FAIL $name (exit code $code)"
    tail -n 60 /tmp/checks/said | sed 's/^/    /'
    kernel_says | tail -n 25 | sed 's/^/    kernel: /'
    failures=$((failures + 1))
  fi
  return $code
}

# must NAME COMMAND ARG...: a check without which the others make no sense. (Never "check ... || ...": that turns "set -e" off.)
must() {
  check "$@"
  [ $? = 0 ] || finish
}

# finish: the script's last command.
finish() {
  nvme disconnect-all >/dev/null 2>&1
  [ $failures = 0 ] || { echo "$failures checks failed"; exit 1; }
  exit 0
}

# fail TEXT...: ends a check.
fail() {
  echo "$*"
  exit 1
}

# expect WHAT GOT WANTED
expect() {
  [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}

# within SECONDS COMMAND ARG...: until the command succeeds.
within() {
  local ends=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $ends ] || fail "in vain until the time was up: $*"
    sleep 0.1
  done
}

# ask QUESTION ARG...: has the test outside do something; prints its answer.
ask() {
  local id=$EPOCHREALTIME
  echo "ask $id $*" >&8
  within 150 test -e "/host/answer-$id"
  tail -n +2 "/host/answer-$id"
  read -r word <"/host/answer-$id"
  [ "$word" = ok ] || fail "$*: refused"
}

# connect NQN OPTION...: anew, and waits for its disk.
connect() {
  local nqn=$1
  shift
  nvme disconnect -n "$nqn" >/dev/null 2>&1 || true
  nvme connect -t "${TRANSPORT:-tcp}" -a "$ADDRESS" -s "$PORT" -n "$nqn" --reconnect-delay=1 "$@"
  within 30 disk_of "$nqn"
}

# controller_of NQN: the name of its controller, for example nvme0.
controller_of() {
  local c
  for c in /sys/class/nvme/nvme*; do
    if [ "$(cat "$c/subsysnqn" 2>/dev/null)" = "$1" ]; then echo "${c##*/}"; return 0; fi
  done
  return 1
}

# disk_of NQN [NSID]: its block device. With native multipath the disk belongs to the subsystem, without it to the controller.
disk_of() {
  local d s
  for d in /sys/block/nvme*n*; do
    [ "$(cat "$d/nsid" 2>/dev/null)" = "${2:-1}" ] || continue
    for s in "$d/device/subsysnqn" "$d/device/device/subsysnqn"; do
      if [ "$(cat "$s" 2>/dev/null)" = "$1" ] && [ -b "/dev/${d##*/}" ]; then echo "/dev/${d##*/}"; return 0; fi
    done
  done
  return 1
}

# disconnect NQN
disconnect() {
  nvme disconnect -n "$1" | grep -q 'disconnected [1-9]'
}

# is_live NQN
is_live() {
  [ "$(cat "/sys/class/nvme/$(controller_of "$1")/state" 2>/dev/null)" = live ]
}

# field NAME: its value in the "name : value" lines of nvme-cli on stdin, without blanks.
field() {
  sed -n "s/^$1[[:blank:]]*:[[:blank:]]*//p" | head -n 1 | tr -d '[:blank:]'
}

# fio_verify NAME DISK OPTION...: fio with checksums on everything it writes, read back and compared.
fio_verify() {
  local name=$1 disk=$2
  shift 2
  fio --name="$name" --filename="$disk" --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --do_verify=1 \
    --randrepeat=0 --group_reporting --output-format=terse --terse-version=3 "$@"
}

# kernel_log: the kernel's log, without the debug exception that the emulated processor may raise while the kernel patches its own code.
kernel_log() {
  dmesg | grep -v exc_debug_kernel
}

# kernel_says: the kernel's log since the check began.
kernel_says() {
  kernel_log | tail -n +$((kernel_said + 1))
}

# kernel_is_content: nothing in the kernel's log since the check began that a healthy target does not cause.
kernel_is_content() {
  ! kernel_says | grep -E 'nvme.*(error|fail|invalid|timeout|timed out|mismatch|unexpected|bogus|duplicate|unable|reset|not ready)|I/O error|WARNING|BUG:'
}
