# Sourced by the programs beside it, which lie in the folder "bench" of the tree: builds that module where it is older than the sources. Sets `jdk` and
# `classpath`.

root=$(CDPATH='' cd -P -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd) || exit 1

. "$root/.mvn/jdk.sh"

built=$root/bench/target/built
log=$root/bench/target/build.log
if [ ! -f "$built" ] || [ -n "$(find "$root"/pom.xml "$root"/*/pom.xml "$root"/*/src/main -newer "$built" | head -n 1)" ]; then
  command -v mvn >/dev/null || {
    echo "this needs Maven, and there is no mvn on the PATH (Debian: apt-get install maven)" >&2
    exit 1
  }
  echo "building (log: $log)" >&2
  mkdir -p "$root/bench/target"
  : >"$built.new"
  if ! mvn -B -f "$root/pom.xml" -pl bench -am -Dmaven.test.skip=true -Dspotless.apply.skip=true package </dev/null >"$log" 2>&1; then
    grep -E '^\[(ERROR|WARNING)\]' "$log" | head -n 20 >&2
    exit 1
  fi
  mv "$built.new" "$built"
fi
classpath="$root/bench/target/bench.jar:$root/bench/target/lib/*"
