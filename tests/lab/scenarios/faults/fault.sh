# shellcheck shell=bash disable=SC2034 # what is set here is used by the steps
# One fault after the other, made by hand on a running cluster. Each has to show as exactly one cause, and no fix that is
# proposed meanwhile may do harm; then it is undone, and everything has to be right again.

CONFIG=/etc/rstudio-connect/rstudio-connect.gcfg
KEY=/mnt/connect/db/secret.key
SAVED=/root/saved # what is put back

# Limits, not sleeps: an emulated processor tries an interpreter for a minute, and NFS keeps what it knows for one.
TO_BE_SEEN=600
TO_BE_RIGHT=900
STEADY=12 # two heartbeats and more: what comes late must not change the verdict

# causes_are CAUSE: judge-verdict prints one line, which matches the pattern.
causes_are() {
  checklist >"$RUN/verdict.json"
  "$LAB_HOME/scenarios/judge-verdict" causes "$RIGHT" <"$RUN/verdict.json" >"$RUN/causes"
  cat "$RUN/causes"
  [ "$(wc -l <"$RUN/causes")" = 1 ] && grep -qxE -- "$1" "$RUN/causes"
}

harms_nothing() {
  "$LAB_HOME/scenarios/judge-verdict" harm <"$RUN/verdict.json" >"$RUN/harm"
  cat "$RUN/harm" >&2
  [ ! -s "$RUN/harm" ]
}

FAILED=0

# fault WHAT CAUSE: make_it and undo_it are functions that the caller has defined just before.
# CAUSE: RULE FAIL NODE,... , a pattern for what judge-verdict prints. What is judged otherwise does not keep the rest from being tried.
fault() {
  local what=$1 cause=$2 began=$SECONDS seen
  make_it >>"$RUN/log/faults.log" 2>&1
  if (judged_as "$what" "$cause"); then
    seen="seen in $((SECONDS - began)) s"
  else
    seen="NOT SO"
    FAILED=1
  fi
  cp "$RUN/verdict.json" "$RUN/log/verdict-$(tr -c 'a-z0-9\n' - <<<"$what").json"
  began=$SECONDS
  undo_it >>"$RUN/log/faults.log" 2>&1
  checklist --refresh >/dev/null
  wait_for "$TO_BE_RIGHT" "$what: undone, all right" troubles_are "$RIGHT"
  printf '  %-54s %-46s %-14s right again in %d s\n' "$what" "$cause" "$seen" $((SECONDS - began))
}

judged_as() {
  wait_for "$TO_BE_SEEN" "$1: $2, and nothing else" causes_are "$2"
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
