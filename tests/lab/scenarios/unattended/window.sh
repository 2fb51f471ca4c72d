# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is used by the steps
# Maintenance windows that open in a while.

# window_in MINUTES LONG ZONE: WINDOW is one that opens so many minutes from now, at a whole one, and closes LONG minutes
# later, as a specification has it; OPENS and CLOSES are its times in seconds since 1970.
window_in() {
  OPENS=$((($(date +%s) / 60 + 1 + $1) * 60))
  CLOSES=$((OPENS + $2 * 60))
  WINDOW="$(TZ=$3 date -d "@$OPENS" +%H:%M)-$(TZ=$3 date -d "@$CLOSES" +%H:%M) $3"
  say "the maintenance window is $WINDOW"
}

# apply_in_window VERSION: and nobody says anything more.
apply_in_window() {
  write_serving_spec enforce "$1"
  of_rollout maintenance_window "\"$WINDOW\""
  apply_spec
}

# await_window VERSION MINUTES LONG ZONE: it is applied for a window that opens in so many minutes, and waits for that. What is
# to be fetched for it is there before: however long that takes, the window is not open yet.
await_window() {
  window_in 600 30 "$4"
  apply_in_window "$1"
  wait_change "$TO_STAGE" AWAITING WAITS 'maintenance window.*opens at'
  window_in "${@:2}"
  apply_in_window "$1"
  wait_change 180 AWAITING WAITS 'maintenance window.*opens at'
  cat "$RUN/change"
  expect "the window is not open yet" [ "$(date +%s)" -lt "$OPENS" ]
}

sleep_until() { while [ "$(date +%s)" -lt "$1" ]; do sleep 1; done; }

# nobody_said_anything EVENT
nobody_said_anything() { no_event "$1" '^WORD_GIVEN'; }
