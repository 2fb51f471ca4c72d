# shellcheck shell=bash
# The same fault on both nodes.

FAILED=0
STEADY=90 # longer than any rule waits before it acts

# everywhere COMMAND: on both nodes, at once.
everywhere() {
  local node pids=() pid
  for node in "${NODES[@]}"; do
    on "$node" "$1" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

# both WHAT RULE: make_it and undo_it are functions that the caller has defined just before. The rule fails; nobody is
# fenced or taken out for it, which is said where the rule would have acted (SAID, a pattern).
both() {
  local what=$1 rule=$2 ended
  if (both_judged); then ended=right; else ended='NOT SO' FAILED=1; fi
  undo_it >>"$RUN/log/both.log" 2>&1
  checklist --refresh >/dev/null
  wait_both_serve
  printf '  %-46s %-26s %s\n' "$what" "$rule" "$ended"
}

both_judged() {
  local event since
  event=$(last_event)
  since=$(now)
  make_it >>"$RUN/log/both.log" 2>&1
  wait_for 300 "$what: $rule to fail" outcome_is "$rule" FAIL
  if [ -n "${SAID:-}" ]; then
    wait_for 180 "$what: it to be said loudly" says_loudly "$SAID"
    cat "$RUN/loud"
  fi
  sleep "$STEADY"
  states
  of_users count --since "$since"
  expect "$what: nobody was taken out" no_event "$event" "$LEFT"
  for node in "${NODES[@]}"; do expect "$what: $node is to serve" is_told "$node" SERVING; done
}

every_one_was_right() { [ "$FAILED" = 0 ]; }
