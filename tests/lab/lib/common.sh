# shellcheck shell=bash disable=SC2034 # what is set here is used by the scripts that read this file
# What every part of the lab shares: where things lie, messages, and the processes that a lab owns.

LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_REPO=$(cd "$LAB_HOME/../.." && pwd)
LAB_NAME=${CONNECT_HA_LAB:-default}
LAB_ROOT=${CONNECT_HA_LAB_DIR:-/var/tmp/connect-ha-lab-$(id -u)}
CACHE=${CONNECT_HA_CACHE:-$HOME/.cache/connect-ha}
LAB_CACHE=$CACHE/lab
RUN=$LAB_ROOT/$LAB_NAME
NODES=(node-1 node-2)
MACHINES=("${NODES[@]}" node-3) # the third is made by a scenario, where it needs another one
GATE_PORT=3938 # of every agent
STARTED=$SECONDS

say() { printf '[%3ds] %s\n' $((SECONDS - STARTED)) "$*" >&2; }

# die WHAT FIX
die() {
  printf 'error: %s\n' "$1" >&2
  printf 'fix:   %s\n' "$2" >&2
  exit 1
}

# Prefixes for commands that need root, and for PostgreSQL, which refuses to be root.
if [ "$(id -u)" = 0 ]; then
  AS_ROOT=()
  AS_DATABASE=(setpriv --reuid postgres --regid postgres --init-groups)
else
  AS_ROOT=(sudo -n)
  AS_DATABASE=()
fi

require_root() {
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || die \
    "the lab builds a disk image and runs an NFS server, which needs root, and sudo asks for a password" \
    "run as root, or: sudo -v, then again"
}

# require_disk DIRECTORY MEGABYTES
require_disk() {
  mkdir -p "$1"
  local free
  free=$(df --output=avail -m "$1" | tail -n 1 | tr -d ' ')
  [ "$free" -ge "$2" ] || die "$1: $free MB free, the lab needs $2 MB" \
    "free some space, or set CONNECT_HA_CACHE and CONNECT_HA_LAB_DIR to directories on a larger disk"
}

require_tools() {
  local tool
  for tool in qemu-system-x86_64 qemu-img mmdebstrap mke2fs ganesha.nfsd haproxy pgbouncer chronyd openssl python3 curl ssh; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || die "$tool is not installed" "./dev deps"
  done
}

# start_process NAME COMMAND... : runs it in the background as this lab's own, logging to $RUN/log/NAME.log.
start_process() {
  local name=$1
  shift
  setsid "$@" >>"$RUN/log/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time $!)" >"$RUN/pids/$name"
}

# The kernel's start time of a process: with it, a pid that was given to another process is not mistaken for ours.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

process_alive() {
  local pid started
  [ -e "$RUN/pids/$1" ] && read -r pid started <"$RUN/pids/$1" && [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# signal_process NAME SIGNAL
signal_process() {
  local pid
  process_alive "$1" || return 0
  read -r pid _ <"$RUN/pids/$1"
  "${AS_ROOT[@]}" kill "-$2" "$pid" 2>/dev/null || ! process_alive "$1" # it may end by itself meanwhile
}

# stop_process NAME: asks, waits for 10 s, then forces.
stop_process() {
  local tries=0
  signal_process "$1" TERM
  while process_alive "$1" && [ "$tries" -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  signal_process "$1" KILL
  rm -f "$RUN/pids/$1"
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for SECONDS WHAT COMMAND... : repeats the command until it succeeds. Its last try is shown.
wait_for() {
  local limit=$1 deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      if "$@" >&2; then return; fi
      die "$what: not there after $limit s" "look at the logs in $RUN/log"
    fi
    sleep 0.2
  done
}

# take_slot: claims a block of ports that no other lab of this user has and nothing listens on.
take_slot() {
  local slot holder
  mkdir -p "$LAB_ROOT/.slots"
  release_slots
  for slot in $(seq 0 49); do
    holder=$(readlink "$LAB_ROOT/.slots/$slot") || holder=
    if [ -n "$holder" ] && [ ! -d "$LAB_ROOT/$holder/pids" ]; then rm -f "$LAB_ROOT/.slots/$slot"; fi
    ln -s "$LAB_NAME" "$LAB_ROOT/.slots/$slot" 2>/dev/null || continue
    if ! any_port_open $((21000 + slot * 20)); then
      echo "$slot" >"$RUN/slot"
      return
    fi
    rm -f "$LAB_ROOT/.slots/$slot"
  done
  die "no free block of ports from 21000 on" "end other labs with: tests/lab/lab down"
}

release_slots() { find "$LAB_ROOT/.slots" -lname "$LAB_NAME" -delete; }

any_port_open() {
  local offset
  for offset in $(seq 0 19); do
    if port_open $(($1 + offset)); then return 0; fi
  done
  return 1
}

# load_ports: the ports on the host's loopback that this lab uses; fixed by its slot.
load_ports() {
  [ -e "$RUN/slot" ] || die "no lab named $LAB_NAME is up" "tests/lab/lab up"
  local base
  base=$((21000 + $(cat "$RUN/slot") * 20))
  PORT_NFS=$base
  PORT_DATABASE=$((base + 1))
  PORT_NFS_OTHER=$((base + 2)) # of servers that a scenario puts beside the first
  PORT_DATABASE_OTHER=$((base + 10))
  PORT_PACKAGES=$((base + 3))
  PORT_TIME=$((base + 4))
  PORT_BALANCER=$((base + 5))
  # Of each machine: ssh, Connect, the gate.
  PORTS_SSH=($((base + 6)) $((base + 7)) $((base + 16)))
  PORTS_CONNECT=($((base + 8)) $((base + 9)) $((base + 17)))
  PORTS_GATE=($((base + 11)) $((base + 12)) $((base + 18)))
  PORT_COORDINATOR=$((base + 14))
  PORT_ENROLMENT=$((base + 15)) # the one behind it, as init has it
  export PORT_NFS PORT_DATABASE PORT_COORDINATOR PORT_PACKAGES PORT_TIME PORT_BALANCER PORT_ENROLMENT
}

ssh_port() { echo "${PORTS_SSH[$(node_index "$1")]}"; }
connect_port() { echo "${PORTS_CONNECT[$(node_index "$1")]}"; }
gate_port() { echo "${PORTS_GATE[$(node_index "$1")]}"; }

# node_index NODE: 0 for the first.
node_index() {
  local i
  for i in "${!MACHINES[@]}"; do
    if [ "${MACHINES[$i]}" = "$1" ]; then
      echo "$i"
      return
    fi
  done
  die "no node named \"$1\"" "the nodes are: ${MACHINES[*]}"
}
