# shellcheck shell=bash disable=SC2034 # what is set here is used by the steps
# One fault after the other, made by hand on a running cluster. Each has to show as its own cause alone, in its own
# words, and no fix that is proposed meanwhile may do harm; then it is undone, and everything has to be right again.

CONFIG=/etc/rstudio-connect/rstudio-connect.gcfg
KEY=/mnt/connect/db/secret.key
SAVED=/root/saved # what is put back

# Limits, not sleeps: an emulated processor tries an interpreter for a minute, and NFS keeps what it knows for one.
TO_BE_SEEN=${TO_BE_SEEN:-600}
TO_BE_RIGHT=${TO_BE_RIGHT:-900}
STEADY=12 # two heartbeats and more: what comes late must not change the verdict

# causes_are CAUSES: judge-verdict prints a line for each, which matches its pattern, and no other.
causes_are() {
  local cause count=0
  checklist >"$RUN/verdict.json"
  "$LAB_HOME/scenarios/judge-verdict" causes <"$RUN/verdict.json" >"$RUN/causes"
  cat "$RUN/causes"
  while read -r cause; do
    grep -qxE -- "$cause" "$RUN/causes" || return 1
    count=$((count + 1))
  done <<<"${1// + /$'\n'}"
  [ "$(wc -l <"$RUN/causes")" = "$count" ]
}

# says CAUSES WORDS: what the first of these rules says of a node matches the pattern.
says() {
  "$LAB_HOME/scenarios/read-checklist" evidence <"$RUN/verdict.json" | grep "^${1%% *} " >"$RUN/said"
  cat "$RUN/said"
  grep -qE -- "$2" "$RUN/said"
}

harms_nothing() {
  "$LAB_HOME/scenarios/judge-verdict" harm <"$RUN/verdict.json" >"$RUN/harm"
  cat "$RUN/harm" >&2
  [ ! -s "$RUN/harm" ]
}

FAILED=0

# fault WHAT CAUSES [WORDS]: make_it and undo_it are functions that the caller has defined just before.
# CAUSES: RULE FAIL NODE,... , a pattern for what judge-verdict prints; several with " + " between them. WORDS: a pattern
# for what the first of them says. What is judged otherwise does not keep the rest from being tried.
fault() {
  local what=$1 causes=$2 words=${3:-} began=$SECONDS seen
  make_it >>"$RUN/log/faults.log" 2>&1
  rm -f "$RUN/seen-after"
  if (judged_as "$what" "$causes" "$words"); then
    seen="seen in $(cat "$RUN/seen-after") s"
  else
    seen="NOT SO"
    FAILED=1
  fi
  cp "$RUN/verdict.json" "$RUN/log/verdict-$(tr -c 'a-z0-9\n' - <<<"$what").json"
  began=$SECONDS
  undo_it >>"$RUN/log/faults.log" 2>&1
  checklist --refresh >/dev/null
  wait_for "$TO_BE_RIGHT" "$what: undone, all right" all_is_right
  printf '  %-54s %-46s %-14s right again in %d s\n' "$what" "$causes" "$seen" $((SECONDS - began))
}

judged_as() {
  local began=$SECONDS
  wait_for "$TO_BE_SEEN" "$1: $2, and nothing else" causes_are "$2"
  echo $((SECONDS - began)) >"$RUN/seen-after"
  expect "$1: words that match \"$3\"" says "$2" "$3"
  expect "$1: no fix that does harm" harms_nothing
  sleep "$STEADY"
  wait_for 60 "$1: still $2, and nothing else" causes_are "$2"
  expect "$1: no fix that does harm" harms_nothing
}

# The last line of each step.
every_fault_was_judged_right() { [ "$FAILED" = 0 ]; }

# on_node_2: the script on standard input, on node-2.
on_node_2() { script_on node-2; }

restart_connect() {
  on "$1" 'systemctl restart rstudio-connect.service'
  wait_for 120 "Connect on $1" connect_answers "$1"
}

# install PACKAGE: as the lab serves it, on node-2.
install_on_node_2() { on node-2 "curl -fsS -o /var/cache/package.deb http://10.0.2.2:$PORT_PACKAGES/packages/$1 && dpkg --install /var/cache/package.deb"; }

# watch_heartbeats: from now on, until heartbeats_came.
watch_heartbeats() {
  stop_process heartbeats # of a step that failed
  rm -f "$RUN/log/heartbeats.log"
  start_process heartbeats env CONNECT_HA_IDENTITY="$RUN/admin" "$LAB_HOME/scenarios/watch-heartbeats" watch \
    "${CONNECT_HA[@]}" nodes --output json
}

# heartbeats_came: none of them later than twice their interval.
heartbeats_came() {
  stop_process heartbeats
  "$LAB_HOME/scenarios/watch-heartbeats" longest 10 <"$RUN/log/heartbeats.log"
}
