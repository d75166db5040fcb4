# rping of rdma-core over soft iWARP (siw), against this project's two ends of a ping, each way and in each way that siw speaks. From outside:
#   ADDRESS, PORT    a ping server; CRC_PORT one that asks for checksums
# Questions: ping WAY ROUNDS BYTES   pings the server in the guest, as WAY says: plain, crc, short (frames), quiet (no first frame by itself)
. /host/checks.sh

# The device anew, with these parameters of the module.
siw() {
  rdma link delete siw_eth0 2>/dev/null || true
  modprobe -r siw || true
  modprobe siw "$@"
  rdma-up siw eth0
}

# rping in the guest is the client.
asks() {
  timeout 60 rping -c -a "$ADDRESS" -p "$1" -C 10 -S "$2" -V -v >/tmp/said
  expect rounds "$(grep -c '^ping data: rdma-ping-' /tmp/said)" 10
  kernel_is_content
}

# rping in the guest is the server, for one client.
answers() {
  timeout 60 rping -s -a 10.0.2.15 -p 7174 -S 65000 -v >/tmp/said 2>&1 &
  sleep 1
  ask ping "$@"
  wait || true
  expect rounds "$(grep -c '^server ping data: rdma-ping-' /tmp/said)" "$2"
  kernel_is_content
}

both() {
  asks "$PORT" 100
  asks "$PORT" 60000
  answers plain 10 100
  answers plain 5 60000
}

must "siw comes up" siw
check "rping as a client" asks "$PORT" 100
check "rping as a client, long" asks "$PORT" 60000
check "rping as a client of a server with checksums" asks "$CRC_PORT" 60000
check "rping as a server" answers plain 10 100
check "rping as a server, long" answers plain 5 60000
check "rping as a server, of a client with checksums" answers crc 5 60000
check "rping as a server, of a client with short frames" answers short 5 60000
check "rping as a server, of a client that does not begin by itself" answers quiet 10 100
must "siw asks for checksums" siw mpa_crc_required=1
check "rping with checksums, both ways" both
must "siw begins by itself" siw peer_to_peer=1
check "rping that begins by itself, both ways" both
# The other way rping cannot: it takes the depths of reads from the request, and revision 1 has none.
must "siw speaks MPA revision 1" siw mpa_version=1
check "rping with MPA revision 1, as a client" asks "$PORT" 100
finish
