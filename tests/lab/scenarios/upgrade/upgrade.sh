# shellcheck shell=bash disable=SC2154 # what is used here is set by the libraries
# What the steps of an upgrade have in common.

# Of the stand-in, in seconds. An upgrade that is worth measuring takes as long as a real one.
STARTS=30
MIGRATES=180

# write_upgrade_spec VERSION: the serving specification for it. Whoever wants to be able to go back to it from a newer one
# allows that its package takes the place of the newer one's. A copy of the database comes before every migration.
write_upgrade_spec() {
  write_serving_spec enforce "$1"
  sed -i -e 's/^connect:$/&\n  allow_downgrade: true/' \
    -e 's/^database:$/&\n  backup_before_migration: {command: copy-database, deadline: 120s}/' "$SPEC_FILE"
}

# copy_database: the operator's command, which leaves a copy of what Connect has in its database, and what it was told.
copy_database() {
  put_backup_command copy-database <<SCRIPT
#!/bin/sh
set -eu
'$(database_tool pg_dump)' -h '$RUN/database' -p '$PORT_DATABASE' -U postgres -Fc -f "\$CONNECT_HA_GENERATION.dump" connect
echo "generation \$CONNECT_HA_GENERATION of \$CONNECT_HA_CLUSTER, to Connect \$CONNECT_HA_VERSION, for \$(id -un)" >"\$CONNECT_HA_GENERATION.txt"
SCRIPT
}

# all_stopped: on no node Connect runs, and none is to run it.
all_stopped() {
  local node
  for node in "${NODES[@]}"; do
    { is_told "$node" STOPPED && rests "$node"; } || return
  done
}
rests() { on "$1" 'systemctl show -p ActiveState --value rstudio-connect.service' | grep -qxE 'inactive|failed'; }

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
  wait_for 120 "all nodes to be stopped" all_stopped
  FIRST=$(of_change "$GENERATION" first)
}

# first_took NODE SINCE: by systemd's own word the seconds that the package manager had there, and how many times systemd
# read all its units anew outside of that.
first_took() {
  on "$1" "journalctl -o short-unix --no-pager --since @${2%.*} _PID=1" | awk '
    /Starting .*connect-ha: install / { began = $1 }
    /Finished .*connect-ha: install / { took += $1 - began; began = 0 }
    /Reloading\.+$/ && !began { reloads++ }
    END { print took + 0, reloads + 0 }'
}

# is_named: where it ended, in words: what was seen, what every node is, what to type.
is_named() {
  expect "it stands there" change_is "$GENERATION" FIRST HALTED
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
  expect "it is the first that failed" grep -q "^$FIRST FAILED" "$RUN/steps"
  in_backups test -s "$GENERATION.dump"
  never_two "$BEGAN"
}
