# perftest over soft iWARP (siw) against this project's ends outside, each way. From outside: ADDRESS
# Questions: command JOB PORT   how the program is called; serve JOB   starts a server, prints its port; served   how its client fared; measure JOB   measures here
. /host/checks.sh

# The device anew, with these parameters of the module.
siw() {
  rdma link delete siw_eth0 2>/dev/null || true
  modprobe -r siw || true
  modprobe siw "$@"
  rdma-up siw eth0
}

# result JOB: what the program has printed is of the whole job.
result() {
  grep -E "^ *$(cut -d: -f2 <<<"$1") +$(cut -d: -f3 <<<"$1")([[:blank:]]+[0-9.]+){3}" /tmp/said || fail "$(cat /tmp/said)"
}

# The program is the client.
asks() {
  timeout 60 $(ask command "$1" "$(ask serve "$1")") "$ADDRESS" >/tmp/said 2>&1 || fail "$(cat /tmp/said)"
  result "$1"
  ask served
  kernel_is_content
}

# The program is the server.
answers() {
  local program
  program=$(ask command "$1" 18515)
  timeout 60 $program >/tmp/said 2>&1 &
  within 30 eval 'rdma resource show cm_id | grep -q LISTEN'
  ask measure "$1"
  wait $! || fail "$(cat /tmp/said)"
  result "$1"
  kernel_is_content
}

must "siw comes up" siw
check "ib_send_bw as a client" asks send:4096:1000
check "ib_send_bw as a server" answers send:4096:1000
check "ib_write_bw as a client" asks write:65536:200
check "ib_write_bw as a server" answers write:65536:200
check "ib_read_bw as a client" asks read:65536:200
check "ib_read_bw as a server" answers read:65536:200
check "ib_read_bw as a server, short" answers read:100:1000
must "siw asks for checksums" siw mpa_crc_required=1
check "ib_send_bw as a client, with checksums" asks send:1000:500
check "ib_send_bw as a server, with checksums" answers send:1000:500
finish
