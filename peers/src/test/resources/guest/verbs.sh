# Java with libibverbs on a software RDMA device of the kernel. From outside: KIND (rxe or siw), LEFT_OUT (names of tests); /classes is the class path.
. /host/checks.sh

run() { # CLASS ARG...
  java -ea --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -Dremora.test.rounds=1000 -Dremora.test.connections=200 -cp "/classes/*:/classes/base:/classes/verbs:/classes/tests" "io.remora.verbs.ibverbs.$@"
}

conforms() {
  run DeviceTests $LEFT_OUT
}

# rping of rdma-core is the client.
is_pinged() {
  run DevicePing serve 7174 2 10 >/tmp/server 2>&1 &
  within 30 grep -q '^ready: ' /tmp/server || { cat /tmp/server; return 1; }
  for bytes in 100 60000; do
    timeout 60 rping -c -a "$ADDRESS" -p 7174 -C 10 -S $bytes -V -v >/tmp/said
    expect "rounds of $bytes bytes" "$(grep -c '^ping data: rdma-ping-' /tmp/said)" 10
  done
  wait $! || { cat /tmp/server; return 1; }
  kernel_is_content
}

# It is the server, for any number of clients.
pings() {
  timeout 90 rping -s -P -a "$ADDRESS" -p 7175 -S 65000 -v >/tmp/said 2>&1 &
  sleep 1
  run DevicePing ping 7175 10 100 60000
  kill $!
  expect rounds "$(grep -c '^server ping data: rdma-ping-' /tmp/said)" 20
  kernel_is_content
}

# siw counts what it locks even for root.
ulimit -l unlimited
must "a $KIND device" rdma-up "$KIND" eth0
ADDRESS=$(ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
check "rping's client against ours, by libibverbs on $KIND" is_pinged
check "our client against rping's server, by libibverbs on $KIND" pings
check "the conformance kit by libibverbs on $KIND" conforms
cp /tmp/checks/said /host/said 2>/dev/null
finish
