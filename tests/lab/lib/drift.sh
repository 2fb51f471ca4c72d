# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # what is set and called here is by name, or by the steps
# One fault after the other on node-2 while it serves, and users are there. Each has to do what its rule says, and the
# other node serves throughout; then it is undone, and node-2 serves again by itself. For steps, which have read
# lib/scenario.sh and lib/serving.sh.

CONFIG=/etc/rstudio-connect/rstudio-connect.gcfg

FAILED=0

# drift WHAT DOES RULE [WORDS]: make_it and undo_it are functions that the caller has defined just before. make_it
# prints, as its last line, when the fault was made, by a clock that is right.
# DOES: what the rule does there:
#   fenced    Connect is stopped and masked
#   closed    node-2 drains: its gate closes, Connect runs on
#   held      the same, by the coordinator alone
#   left      node-2 leaves service, in whatever state: Connect does not run there
#   mended    its agent puts it right, and node-2 serves on, or again
#   told      node-2 serves on, and it is said loudly
# WORDS: a pattern for what status says of node-2, what was changed there, or what is said loudly; without, the rule.
# With DARK=yes the coordinator is killed before, and started again once what the node does by itself was seen.
drift() {
  local what=$1 does=$2 rule=$3 words=${4:-$3} ended undone
  rm -f "$RUN/gate-closed" "$RUN/acted"
  if (drifted); then ended=right; else ended='NOT SO' FAILED=1; fi
  process_alive coordinator || start_coordinator
  undo_it >>"$RUN/log/drift.log" 2>&1
  checklist --refresh >/dev/null
  undone=$SECONDS
  wait_both_serve
  # Or it would be found said when the next one is made.
  if [ "$does" = told ]; then wait_for "$TO_LEAVE" "$what: nothing to be said of it any more" says_nothing "$words"; fi
  printf '  %-42s %-7s %-24s gate closed after %5s s, acted after %4s s, serves %4d s after it was undone: %s\n' \
    "$what" "$does" "$rule" "$(cat "$RUN/gate-closed" 2>/dev/null || echo -)" "$(cat "$RUN/acted" 2>/dev/null || echo -)" \
    $((SECONDS - undone)) "$ended"
}

# The last line of each step.
every_drift_was_right() { [ "$FAILED" = 0 ]; }

drifted() {
  local event since began
  event=$(last_event)
  if is_dark; then
    kill_coordinator
  fi
  watch_gates
  since=$(make_it 2>>"$RUN/log/drift.log" | tail -n 1)
  began=$SECONDS
  if is_dark; then
    alone
    start_coordinator
  fi
  "judge_$does"
  users_had_the_other
}

is_dark() { [ "${DARK:-no}" = yes ]; }

# What node-2 does with no coordinator: it is told nothing, and goes on as it was told, but for what it sees itself.
alone() {
  case $does in
    fenced | closed | left) wait_for 90 "$what: the gate to close with no coordinator" gate_after "$since" node-2 503 ;;
  esac
  sleep 20
  wait_for 20 "$what: node-2 to be told nothing else in the dark" page_says node-2 serving
  expect "$what: the other serves on in the dark" gate_is_only "$since" node-1 200
}

# acts COMMAND...: waits until it is so, and notes the times.
acts() {
  wait_for "$TO_LEAVE" "$what: what $rule does (${does}) to be done" "$@"
  echo $((SECONDS - began)) >"$RUN/acted"
  gate_after "$since" node-2 503 >"$RUN/gate-closed" 2>/dev/null || echo - >"$RUN/gate-closed"
}

# is_out: from here on nobody is to lose anything.
is_out() {
  wait_for "$IN_ROTATION" "$what: the load balancer to notice" out_of_rotation node-2
  now >"$RUN/settled"
  wait_for 20 "$what: the gate to be closed" gate_is node-2 503
  expect "$what: the events to name the rule" an_event "$event" "^NODE_STATE_CHANGED node-2 .*($words)"
}

judge_fenced() {
  acts is_state node-2 FENCED "$words"
  expect "$what: Connect is stopped on node-2" unit_is node-2 inactive
  expect "$what: it is masked" [ "$(on node-2 'systemctl is-enabled rstudio-connect.service')" = masked ]
  is_out
}

judge_closed() {
  acts is_state node-2 DRAINING "$words"
  expect "$what: Connect runs on on node-2" unit_is node-2 active
  is_out
}

judge_held() { judge_closed; }

judge_left() {
  acts is_told node-2 '(DRAINING|STOPPED|PREPARING|READY)'
  is_out
}

judge_mended() {
  acts was_mended
  cat "$RUN/mended"
  events_since "$event" NODE_STATE_CHANGED node-2
  wait_serves node-2
  now >"$RUN/settled"
}
was_mended() {
  events_since "$event" RESOURCE_CHANGED node-2 >"$RUN/changed"
  grep -E -m 1 -- "$words" "$RUN/changed" >"$RUN/mended"
}

judge_told() {
  acts says_loudly "$words"
  grep -E -- "$words" "$RUN/loud"
  sleep 30
  expect "$what: node-2 serves on" is_state node-2 SERVING
  expect "$what: nobody left service" no_event "$event" "$LEFT"
  echo "$since" >"$RUN/settled"
}

# Of those on the other node nobody lost anything, and nobody at all once it was settled.
users_had_the_other() {
  local settled ten_later
  settled=$(cat "$RUN/settled")
  ten_later=$(python3 -c 'import sys; print(float(sys.argv[1]) + 10)' "$settled")
  wait_for 60 "$what: users to come" of_users first --since "$ten_later"
  of_users count --since "$since"
  expect "$what: nobody with node-1 lost a request" nothing_lost --since "$since" --went node-1
  expect "$what: nor waited for it in vain" nothing_lost --since "$since" --came node-1
  expect "$what: nobody lost a request once it was settled" nothing_lost --since "$settled"
}

# For the script of make_it, as its first command: when it is now, by node-2's clock, which is right.
AT='date +%s.%N'

# on_node_2: the script on standard input, on node-2.
on_node_2() { script_on node-2; }
