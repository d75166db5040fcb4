# Java with libibverbs on a software RDMA device of the kernel. From outside: KIND (rxe or siw), LEFT_OUT (names of tests); /classes is the class path.
. /host/checks.sh

conforms() {
  java -ea --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -cp "/classes/*:/classes/base:/classes/verbs:/classes/tests" io.remora.verbs.ibverbs.DeviceTests $LEFT_OUT
}

must "a $KIND device" rdma-up "$KIND" eth0
check "the conformance kit by libibverbs on $KIND" conforms
cp /tmp/checks/said /host/said 2>/dev/null
finish
