# shellcheck shell=bash
# One fault after the other on node-2 while it serves, and users are there. Each has to do what its rule says, and the
# other node serves throughout; then it is undone, and node-2 serves again by itself. For steps, which have read
# lib/scenario.sh and lib/serving.sh.

CONFIG=/etc/rstudio-connect/rstudio-connect.gcfg
ELECTED=30 # what a rule without a time of its own has to hold for before a node comes back

FAILED=0

# drift WHAT DOES RULE [WORDS]: make_it and undo_it are functions that the caller has defined just before. make_it
# prints, as its last line, when the fault was made, by a clock that is right.
# DOES: what the rule does there:
#   fenced    Connect is stopped and masked
#   closed    the gate closes, node-2 drains, Connect runs on
#   held      node-2 drains, since the other serves
#   mended    node-2 serves on, or again, and its agent has put it right
#   told      node-2 serves on, and it is said loudly
# WORDS: a pattern for what status says of node-2, or what is said loudly.
# With DARK=yes the coordinator is killed before, and started again once what the node does by itself was seen.
drift() {
  local what=$1 does=$2 rule=$3 words=${4:-} ended
  rm -f "$RUN/gate-closed" "$RUN/acted" "$RUN/served-again"
  if (drifted "$what" "$does" "$rule" "$words"); then ended=right; else ended='NOT SO' FAILED=1; fi
  process_alive coordinator || start_coordinator
  undo_it >>"$RUN/log/drift.log" 2>&1
  checklist --refresh >/dev/null
  local undone=$SECONDS
  wait_both_serve
  printf '  %-44s %-7s %-26s gate closed after %5s s, acted after %4s s, serves again %4d s after it was undone: %s\n' \
    "$what" "$does" "$rule" "$(cat "$RUN/gate-closed" 2>/dev/null || echo -)" "$(cat "$RUN/acted" 2>/dev/null || echo -)" \
    $((SECONDS - undone)) "$ended"
}

drifted() {
  local what=$1 does=$2 rule=$3 words=$4 event since began
  event=$(last_event)
  remember_starts
  if [ "${DARK:-no}" = yes ]; then
    signal_process coordinator KILL
    wait_for 10 "the coordinator to be dead" eval '! process_alive coordinator'
  fi
  watch_gates
  gates_are_watched
  since=$(make_it 2>>"$RUN/log/drift.log" | tail -n 1)
  began=$SECONDS
  if [ "${DARK:-no}" = yes ]; then
    alone "$what" "$does"
    start_coordinator
  fi
  case $does in
    fenced) wait_for "$TO_LEAVE" "$what: node-2 to be fenced" is_state node-2 FENCED "${words:-$rule}" ;;
    closed | held) wait_for "$TO_LEAVE" "$what: node-2 to drain" is_state node-2 DRAINING "${words:-$rule}" ;;
    mended) wait_for "$TO_LEAVE" "$what: node-2 to be put right" is_mended ;;
    told) wait_for "$TO_LEAVE" "$what: it to be said" says_loudly "${words:-$rule}" ;;
  esac
  echo $((SECONDS - began)) >"$RUN/acted"
  gate_after "$since" node-2 503 >"$RUN/gate-closed" 2>/dev/null || echo - >"$RUN/gate-closed"
  case $does in
    fenced)
      expect "$what: Connect is stopped on node-2" unit_is node-2 inactive
      expect "$what: it is masked" on node-2 '[ "$(systemctl is-enabled rstudio-connect.service)" = masked ]'
      ;;
    closed | held)
      expect "$what: Connect runs on on node-2" unit_is_up node-2
      expect "$what: the gate is closed" gate_is node-2 503
      ;;
    told)
      expect "$what: node-2 serves on" is_told node-2 SERVING
      expect "$what: nobody left service" no_event "$event" '^NODE_STATE_CHANGED .*(fenced|draining)'
      ;;
  esac
  if [ "$does" = fenced ] || [ "$does" = closed ] || [ "$does" = held ]; then
    wait_for "$IN_ROTATION" "$what: the load balancer to notice" out_of_rotation node-2
    expect "$what: the events to name the rule" an_event "$event" "^NODE_STATE_CHANGED node-2 .*${words:-$rule}"
  fi
  users_had_node_1 "$what" "$since"
}

# What node-2 does with no coordinator: it is told nothing, and goes on as it was told, but for what it sees itself.
alone() {
  case $2 in
    fenced | closed) wait_for 60 "$1: the gate to close with no coordinator" gate_is node-2 503 ;;
  esac
  sleep 20
  gate node-2 / >"$RUN/log/page-dark.txt"
  expect "$1: node-2 is told nothing else in the dark" grep -qi serving "$RUN/log/page-dark.txt"
  gate_is_only "$since" node-1 200
}

# The watcher has asked both at least once.
gates_are_watched() {
  local node
  for node in "${NODES[@]}"; do wait_for 20 "the gate of $node to be watched" grep -q " $node " "$RUN/log/gates.log"; done
}

unit_is_up() { ! unit_is "$1" inactive && ! unit_is "$1" failed; }

# users_had_node_1 WHAT SINCE: of those on the other node nobody lost anything, and everybody is served once the load
# balancer had the time to notice.
users_had_node_1() {
  local settled
  settled=$(python3 -c 'import sys; print(float(sys.argv[1]) + float(sys.argv[2]))' "$2" "$IN_ROTATION")
  wait_for 90 "$1: users to come" users_came_after "$settled"
  of_users count --since "$2"
  expect "$1: nobody on node-1 lost a request" nothing_lost --since "$2" --went node-1
  expect "$1: nobody lost a request later than $IN_ROTATION s after it" nothing_lost --since "$settled"
}
users_came_after() { of_users first --since "$1"; }

# at_node_2: when it is now, by the clock of node-2, which is right. For the script of make_it, as its first command.
AT='date +%s.%N'

# on_node_2: the script on standard input, on node-2.
on_node_2() { script_on node-2; }

# The last line of each step.
every_drift_was_right() { [ "$FAILED" = 0 ]; }
