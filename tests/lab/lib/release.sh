# shellcheck shell=bash disable=SC2034 # what is set here is used by the scripts that read this file
# Of which release the nodes are: the host's own, or another, whose programs, packages and stand-ins are made in a root
# directory of that release (tests/in_release).

# shellcheck disable=SC1091
HOST_RELEASE=$(. /etc/os-release && echo "$VERSION_CODENAME")

# use_release NAME: the programs that run on the host are that release's too, and are given its libraries.
use_release() {
  case $1 in
    "$HOST_RELEASE" | jammy) LAB_RELEASE=$1 ;;
    *) die "the lab has no nodes of release \"$1\"" "jammy, or leave it out for the host's own ($HOST_RELEASE)" ;;
  esac
  RELEASE_ROOT=$CACHE/$LAB_RELEASE
  PROGRAM=()
  if of_host; then
    BUILD_COMMAND="./dev build"
    LAB_BUILD=${CONNECT_HA_BUILD:-$LAB_REPO/build/release}
  else
    BUILD_COMMAND="./dev build --on $LAB_RELEASE"
    LAB_BUILD=${CONNECT_HA_BUILD:-$LAB_REPO/build/$LAB_RELEASE}
    local libraries=$RELEASE_ROOT/usr/lib/x86_64-linux-gnu
    PROGRAM=("$libraries/ld-linux-x86-64.so.2" --library-path "$libraries")
  fi
  CONNECT_HA=("${PROGRAM[@]}" "$LAB_BUILD/coordinator/connect-ha")
  AGENT=("${PROGRAM[@]}" "$LAB_BUILD/agent/connect-ha-agent")
}

of_host() { [ "$LAB_RELEASE" = "$HOST_RELEASE" ]; }

# in_release COMMAND...: runs it where the package lists, the compiler and the libraries are that release's.
in_release() {
  if of_host; then "$@"; else "$LAB_REPO/tests/in_release" "$LAB_RELEASE" "$RELEASE_ROOT" "$LAB_CACHE" -- "$@"; fi
}

root_in_release() { if of_host; then "${AS_ROOT[@]}" "$@"; else in_release "$@"; fi; }

# A lab that is up says itself what it is of.
if [ -e "$RUN/release" ]; then
  use_release "$(cat "$RUN/release")"
else
  use_release "${CONNECT_HA_LAB_RELEASE:-$HOST_RELEASE}"
fi
