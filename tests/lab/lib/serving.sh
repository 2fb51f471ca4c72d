# shellcheck shell=bash disable=SC2034 # what is set here is used by the steps
# Nodes that go into service, are held out of it and come back: what a scenario of enforcement asks for. For steps,
# which have read lib/scenario.sh.

# Limits, not sleeps: an emulated processor tries an interpreter for a minute, and each rule has to hold for a time.
TO_SERVE=1200
TO_LEAVE=420

# What the events say of a node that was taken out of service.
LEFT='^NODE_STATE_CHANGED .*to be (fenced|draining|stopped|preparing|ready), was'

# write_serving_spec ENFORCEMENT [CONNECT_VERSION]: the whole specification, and what enforcement needs beside it.
# Rules fence as often as they find something: there is one fault after the other here.
write_serving_spec() {
  write_whole_spec "$RUN/spec" "$@"
  # What the file server tells of its disk is how full the host's is.
  sed -i 's/^limits:$/&\n  disk_used_percent: 99/' "$RUN/spec/cluster.yaml"
  cat >>"$RUN/spec/cluster.yaml" <<SPEC
load_balancer: {url: "http://127.0.0.1:$PORT_BALANCER", sticky: true}
nodes: {fences_per_hour: 100}
SPEC
}

# The coordinator is killed, and whoever goes on is alone.
kill_coordinator() {
  signal_process coordinator KILL
  wait_for 10 "the coordinator to be dead" eval '! process_alive coordinator'
}
killed_and_started() {
  kill_coordinator
  start_coordinator
}

# enter_service [CONNECT_VERSION]: the bare nodes, by one command; then users come.
enter_service() {
  write_serving_spec enforce "$@"
  admin apply "$RUN/spec/cluster.yaml" --yes --wait
  wait_both_serve
  start_users
  wait_for_users
}

# states: one line a node: NODE ASSIGNED REPORTED WHY; waits for: WHAT
states() { judged status --output json | "$LAB_HOME/scenarios/read-states" states; }

# said: what is said loudly: NODE TEXT, - for the cluster.
said() { judged status --output json | "$LAB_HOME/scenarios/read-states" said; }

# is_state NODE STATE [WORDS]: it is told to be that, and is; its line matches the pattern. One whose gate is to stay closed
# until it was looked at is not SERVING, but SERVING-CLOSED.
is_state() {
  states >"$RUN/states" || return
  cat "$RUN/states"
  grep -E "^$1 $2 $2( |\$)" "$RUN/states" >"$RUN/state"
  grep -qE -- "${3:-}" "$RUN/state"
}

# is_told NODE STATE [WORDS]: whether or not it has got there.
is_told() {
  states >"$RUN/states" || return
  cat "$RUN/states"
  grep -E "^$1 $2 " "$RUN/states" >"$RUN/state"
  grep -qE -- "${3:-}" "$RUN/state"
}

says_loudly() {
  said >"$RUN/loud" || return
  cat "$RUN/loud"
  grep -qE -- "$1" "$RUN/loud"
}

# says_nothing [WORDS]: that matches the pattern. A coordinator that does not answer has said nothing of it.
says_nothing() {
  said >"$RUN/loud" || return
  ! grep -E -- "${1:-}" "$RUN/loud" >&2
}

serves() { is_state "$1" SERVING && in_rotation "$1" && connect_answers "$1"; }
wait_serves() { wait_for "$TO_SERVE" "$1 to serve, and the load balancer to send to it" serves "$1"; }
wait_both_serve() {
  local node
  for node in "${NODES[@]}"; do wait_serves "$node"; done
}

# The gate, as the load balancer asks it; its header is in $RUN/gate-header.
gate() { curl -s -m 3 -D "$RUN/gate-header" "http://127.0.0.1:$(gate_port "$1")${2:-/healthz}"; }
gate_is() { [ "$(curl -s -m 3 -o "$RUN/gate" -w '%{http_code}' "http://127.0.0.1:$(gate_port "$1")/healthz")" = "$2" ]; }

# page_says NODE STATE: what the agent goes by, as its own page has it; whether or not there is a coordinator.
page_says() {
  gate "$1" / >"$RUN/log/page-$1.txt" || return
  cat "$RUN/log/page-$1.txt"
  grep -qE "^state +$2," "$RUN/log/page-$1.txt"
}

# watch_gates: from now on, and both were asked, and are open. gate_after SINCE NODE STATUS: how many seconds after SINCE
# it was so. gate_is_only SINCE NODE STATUS: and nothing else since.
watch_gates() {
  local node urls=()
  for node in "${NODES[@]}"; do urls+=("$node=http://127.0.0.1:$(gate_port "$node")/healthz"); done
  stop_process gates # of a step before
  rm -f "$RUN/log/gates.log"
  start_process gates "$LAB_HOME/scenarios/watch-gates" watch "${urls[@]}"
  for node in "${NODES[@]}"; do
    wait_for 30 "the gate of $node to be watched, and open" grep -q " $node 200 " "$RUN/log/gates.log"
  done
}
gate_after() { "$LAB_HOME/scenarios/watch-gates" first "$@" <"$RUN/log/gates.log"; }
gate_is_only() { still_watched gates && "$LAB_HOME/scenarios/watch-gates" only "$@" <"$RUN/log/gates.log"; }
# gates_shut SINCE [UNTIL]: for how many seconds no gate was open, as far as they answered.
gates_shut() { still_watched gates && "$LAB_HOME/scenarios/watch-gates" shut "$@" <"$RUN/log/gates.log"; }
# one_serves SINCE: a gate was open all the time since then.
one_serves() { [ "$(gates_shut "$1")" = 0.0 ]; }

# last_event; events_since ID [KIND [NODE]]: one line each: KIND NODE TEXT.
last_event() { admin events --output json --limit 1 | "$LAB_HOME/scenarios/read-events" last; }
events_since() { admin events --output json --limit 2000 | "$LAB_HOME/scenarios/read-events" since "$@"; }

# no_event ID WORDS: none since then matches the pattern.
no_event() {
  events_since "$1" >"$RUN/events" || return
  ! grep -E -- "$2" "$RUN/events" >&2
}
an_event() {
  events_since "$1" >"$RUN/events" || return
  grep -E -m 1 -- "$2" "$RUN/events"
}

# audited ACTION SUBJECT WHY: prints who and from where.
audited() { admin audit --output json --since 1d | "$LAB_HOME/scenarios/read-events" audited "$@"; }

# starts NODE: what is another after every start of Connect.
starts() { on "$1" 'systemctl show -p InvocationID,ActiveEnterTimestampMonotonic,NRestarts rstudio-connect.service'; }
remember_starts() {
  local node
  for node in "${NODES[@]}"; do starts "$node" >"$RUN/starts-$node"; done
}
not_started_again() { diff -u "$RUN/starts-$1" <(starts "$1"); }
started_again() { unit_is "$1" active && ! not_started_again "$1"; }

unit_is() { [ "$(on "$1" 'systemctl show -p ActiveState --value rstudio-connect.service')" = "$2" ]; }
