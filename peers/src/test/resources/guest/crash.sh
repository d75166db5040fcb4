# A file system and raw writes on two volumes of a node that is killed again and again. From outside, beside ADDRESS and PORT:
#   NQN, RAW_NQN     the volume for the file system, and the one that fio writes to all the time
# Questions: kill, restart, crash (kill, and restart at once), end (SIGTERM, and restart)
. /host/checks.sh

tree=/usr/lib/python3.11

makes_a_file_system() {
  connect "$NQN"
  connect "$RAW_NQN" -i 2 -Q 64
  mkfs.ext4 -q "$(disk_of "$NQN")"
  mount "$(disk_of "$NQN")" /mnt
  (cd $tree && find . -type f -exec md5sum {} +) >/tmp/sums
  [ "$(wc -l </tmp/sums)" -gt 100 ]
}

# In the background until the file "enough" is there: fio writes at random, reads back and compares, over and over.
hammer() {
  local rounds=0
  while [ ! -e /tmp/enough ]; do
    fio_verify hammer "$(disk_of "$RAW_NQN")" --rw=randrw --bs=16k --size=2m --iodepth=16 || return 1
    rounds=$((rounds + 1))
    echo $rounds >/tmp/rounds
  done
}

# intact COPY: every file, read from the volume and not from the kernel's memory.
intact() {
  echo 3 >/proc/sys/vm/drop_caches
  (cd "/mnt/$1" && md5sum --quiet --check /tmp/sums)
}

recovers() {
  within 60 is_live "$NQN"
  within 60 is_live "$RAW_NQN"
}

# The copy is synced before the crash: it must be there after it.
synced_then_killed() {
  cp -r $tree /mnt/synced
  sync -f /mnt
  ask crash
  intact synced
  recovers
}

# The crash comes in the middle of the copy: the kernel sends again what was not answered.
killed_while_copying() {
  cp -r $tree /mnt/copied &
  sleep 1
  ask crash
  wait $!
  sync -f /mnt
  recovers
  intact copied
  intact synced
}

# The node stays away for a while; reads and writes wait.
stays_away() {
  ask kill
  cp -r $tree /mnt/away &
  sleep 5
  ask restart
  wait $!
  sync -f /mnt
  recovers
  intact away
}

# Files go, their space is given back, new ones come, with a crash in between each.
trims_and_is_killed() {
  rm -r /mnt/copied
  fstrim /mnt
  ask crash
  cp -r $tree /mnt/again
  sync -f /mnt
  ask crash
  intact again
  intact synced
  recovers
}

ends_orderly_and_comes_back() {
  ask end
  recovers
  intact synced
}

hammer_saw_nothing_wrong() {
  touch /tmp/enough
  within 120 test -e /tmp/hammered
  cat /tmp/hammer-said
  expect "the exit code of fio" "$(cat /tmp/hammered)" 0
  [ "$(cat /tmp/rounds)" -ge 3 ] || fail "only $(cat /tmp/rounds) rounds"
}

# What the kernel has protected from writes is so after a crash, and what it has given free is.
keeps_write_protection() {
  local disk=$(disk_of "$RAW_NQN") c=/dev/$(controller_of "$RAW_NQN") last
  last=$((4096 / $(blockdev --getss "$disk") - 1))
  is_readonly() { [ "$(blockdev --getro "$disk")" = "$1" ]; }
  is_protected() { nvme get-feature "$c" -n 1 -f 0x84 | grep -iE "value:(0x)?0*$1\$"; }
  head -c 4096 /dev/urandom >/tmp/late
  nvme set-feature "$c" -n 1 -f 0x84 -v 1
  within 20 is_readonly 1
  ask crash
  recovers
  within 20 is_protected 1
  within 20 is_readonly 1
  if nvme io-passthru "$c" -o 1 -n 1 --cdw10=0 --cdw12=$last -l 4096 -w -i /tmp/late; then
    fail "a write went through"
  fi
  nvme set-feature "$c" -n 1 -f 0x84 -v 0
  ask crash
  recovers
  within 20 is_protected 0
  within 20 is_readonly 0
  dd if=/tmp/late of="$disk" bs=4096 count=1 oflag=direct status=none
}

file_system_is_clean() {
  local disk=$(disk_of "$NQN")
  umount /mnt
  fsck.ext4 -fn "$disk"
  mount -o ro "$disk" /mnt
  intact synced
  intact away
  intact again
  umount /mnt
  disconnect "$NQN"
  disconnect "$RAW_NQN"
  ! kernel_log | grep -E 'EXT4-fs (error|warning)|I/O error|Buffer I/O|WARNING|BUG:'
}

must "mkfs.ext4, mount" makes_a_file_system
(hammer >/tmp/hammer-said 2>&1; echo $? >/tmp/hammered) &
check "synced, then SIGKILL: all files intact" synced_then_killed
check "SIGKILL in the middle of a copy" killed_while_copying
check "SIGKILL, away for 5 s with I/O waiting" stays_away
check "fstrim and two SIGKILLs" trims_and_is_killed
check "SIGTERM and back" ends_orderly_and_comes_back
check "fio verified without a pause through all of it" hammer_saw_nothing_wrong
check "write protection, kept over two SIGKILLs" keeps_write_protection
check "umount, fsck.ext4 -fn, checksums" file_system_is_clean
finish
