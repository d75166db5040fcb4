# Sourced by ./remora and ./verify: sets `jdk` to the folder of a JDK 25, or explains how to get one and exits 1.

jdk=

# is_jdk25 DIR: a JDK (not a mere runtime) of release 25. Reads the folder's release file: starting java would cost more.
is_jdk25() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  while read -r line; do
    case $line in
      JAVA_VERSION=\"25\" | JAVA_VERSION=\"25[.-]*\") return 0 ;;
    esac
  done <"$1/release"
  return 1
}

find_jdk25() {
  path_java=$(command -v java 2>/dev/null) && path_java=$(readlink -f "$path_java" 2>/dev/null)
  for candidate in "${JAVA25_HOME:-}" "${JAVA_HOME:-}" "${path_java%/bin/java}" \
    /usr/lib/jvm/* /usr/java/* /opt/jdk* /opt/java/* /opt/*-25* /usr/local/jdk* /usr/local/*-25* \
    "${SDKMAN_DIR:-${HOME:-/}/.sdkman}"/candidates/java/* "${HOME:-/}"/.jdks/* \
    "${HOME:-/}"/.asdf/installs/java/* "${HOME:-/}"/.local/share/mise/installs/java/* \
    /home/linuxbrew/.linuxbrew/opt/openjdk@25/libexec; do
    if [ -n "$candidate" ] && is_jdk25 "$candidate"; then
      jdk=$candidate
      return 0
    fi
  done
  return 1
}

if ! find_jdk25; then
  cat >&2 <<MESSAGE
remora: needs a JDK 25, and there is none in JAVA_HOME, on the PATH, under /usr/lib/jvm, /opt, ~/.sdkman, ~/.jdks,
~/.asdf or mise. One of these gets it:
  * sdk install java 25-tem              with SDKMAN (https://sdkman.io), no root needed
  * apt-get install openjdk-25-jdk       where the distribution has it (Debian 14, Ubuntu 25.10 and later)
  * unpack https://adoptium.net/temurin/releases/?version=25 anywhere and export JAVA_HOME=/that/folder
MESSAGE
  exit 1
fi

# Maven's toolchain search reads every JAVA*_HOME, so the build takes the JDK that was found here.
export JAVA25_HOME="$jdk"
