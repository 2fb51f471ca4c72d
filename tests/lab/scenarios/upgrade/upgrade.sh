# shellcheck shell=bash disable=SC2154 # what is used here is set by the libraries
# What the steps of an upgrade have in common.

# Of the stand-in, in seconds. An upgrade that is worth measuring takes as long as a real one.
STARTS=30
MIGRATES=180

# write_upgrade_spec VERSION: the serving specification for it. Whoever wants to be able to go back to it from a newer one
# allows that its package takes the place of the newer one's.
write_upgrade_spec() {
  write_serving_spec enforce "$1"
  sed -i 's/^connect:$/&\n  allow_downgrade: true/' "$SPEC_FILE"
}

# all_stopped: on no node Connect runs, and none is to run it.
all_stopped() {
  local node
  for node in "${NODES[@]}"; do
    { is_told "$node" STOPPED && rests "$node"; } || return
  done
}
rests() { on "$1" 'systemctl show -p ActiveState --value rstudio-connect.service' | grep -qxE 'inactive|failed'; }

# runs_version NODE VERSION: what answers there is of that version.
runs_version() {
  curl -fsS -m 5 "http://127.0.0.1:$(connect_port "$1")/__api__/server_settings" | grep -qF "\"version\":\"$2\""
}
all_run() { for node in "${NODES[@]}"; do expect "$node runs Connect $1" runs_version "$node" "$1"; done; }

# fails_half_way HOW: a change to the newest release is approved, whose migration fails. GENERATION is its number, FIRST who
# went first.
fails_half_way() {
  standin start_seconds 3
  standin migration_seconds 5
  standin migration_fails "$1"
  write_upgrade_spec "$CONNECT_LATER_VERSION"
  echo "# $1" >>"$SPEC_FILE" # what was given up is not taken for the same
  apply_spec
  wait_change "$TO_STAGE" AWAITING WAITS approv
  admin approve "$GENERATION" --reason "the lab has it fail $1"
  wait_change "$TO_CHANGE" FIRST HALTED 'the migration to .* failed'
  FIRST=$(change_steps | sed -n 's/ FAILED.*//p')
  wait_for 120 "all nodes to be stopped" all_stopped
}

# is_named: where it ended, in words: what was seen, what every node is, what to type.
is_named() {
  cat "$RUN/change"
  change_steps | tee "$RUN/steps"
  expect "one node is the one that failed" [ "$(grep -c ' FAILED' "$RUN/steps")" = 1 ]
  expect "the other is held" grep -q ' HELD' "$RUN/steps"
  expect "the failing is said loudly" says_loudly 'the migration to .* failed'
  change_fixes | tee "$RUN/fixes"
  expect "how to go on is said" grep -q "connect-ha node start $FIRST" "$RUN/fixes"
  local result=0
  admin rollout status >"$RUN/log/halted.txt" || result=$?
  cat "$RUN/log/halted.txt"
  expect "rollout status says so by its exit code" [ "$result" = 1 ]
  expect "it is the first that failed" [ "$(of_change "$GENERATION" first)" = "$FIRST" ]
  never_two "$BEGAN"
}
