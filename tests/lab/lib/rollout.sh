# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is used by the steps
# Changes of a cluster that serves: how they are asked for, watched and judged. For steps, which have read lib/scenario.sh
# and lib/serving.sh.

# Limits, not sleeps: an emulated processor tries a new interpreter for minutes.
TO_STAGE=1200
TO_CHANGE=2400

read_rollout() { "$LAB_HOME/scenarios/read-rollout" "$@"; }

# change_now: GENERATION KIND PHASE STANDING REASON; of what is not set, -. A line more for the one that comes after it.
change_now() { judged rollout status --output json | read_rollout status; }
change_steps() { judged rollout status --output json | read_rollout steps; }
change_fixes() { judged rollout status --output json | read_rollout fixes; }

# change_is GENERATION PHASE [STANDING [WORDS]]: patterns, but for the first; of the reason the last.
change_is() {
  change_now >"$RUN/change" || return
  cat "$RUN/change"
  grep -E "^$1 [A-Z_-]+ ($2) (${3:-[A-Z_-]+})( |\$)" "$RUN/change" | grep -qE -- "${4:-}"
}
# phase_is PHASE: that one, of what change_is has seen of GENERATION.
phase_is() { [ "$(awk -v generation="$GENERATION" '$1 == generation { print $3; exit }' "$RUN/change")" = "$1" ]; }

# wait_change SECONDS PHASE [STANDING [WORDS]]: of GENERATION.
wait_change() { wait_for "$1" "generation $GENERATION to be $2 ${*:3}" change_is "$GENERATION" "${@:2}"; }

# newest: the generation that was applied last.
newest() {
  admin spec history --output json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["generations"][0]["generation"])'
}

# ended GENERATION: see read-rollout.
ended() { judged history --output json --limit 100 | read_rollout ended "$1"; }
# of_change GENERATION WORD: what that says.
of_change() { ended "$1" | sed -n "s/^$2 //p"; }

# is_over GENERATION: it has ended, or does not go on by itself.
is_over() { change_is "$1" 'DONE|ABORTED|REFUSED' || change_is "$1" '[A-Z_]+' HALTED; }
is_done() { change_is "$1" DONE && all_hold "$1"; }

# wait_done GENERATION: it goes on by itself to its end, and both serve. One that a person would have to see to is given
# up at once.
wait_done() {
  wait_for "$TO_CHANGE" "the change to generation $1 to end, or to stop half way" is_over "$1"
  change_fixes
  # A heartbeat later every node has said that it holds it.
  wait_for 60 "generation $1 to be in force, and done" is_done "$1"
  wait_both_serve
}

# was_done KIND: what apply --wait has followed; that it is done is noted a moment later.
was_done() {
  wait_for 60 "generation $GENERATION to be done" change_was "$GENERATION" "$1" DONE
  tell_change "$GENERATION"
}

# tell_change GENERATION: what there is to say of one that has ended, and that the history does.
tell_change() {
  ended "$1" >"$RUN/log/change-$1.txt"
  sed 's/^/  /' "$RUN/log/change-$1.txt"
  judged history --output json --limit 100 | read_rollout nodes "$1" | sed 's/$/ (node, seconds out of service, refused by its gate)/; s/^/  /'
}

# change_was GENERATION KIND END
change_was() { [ "$(ended "$1" | sed -n 1p)" = "$2 $3" ]; }

# runs_version NODE VERSION: what answers there is of that version.
runs_version() {
  curl -fsS -m 5 "http://127.0.0.1:$(connect_port "$1")/__api__/server_settings" | grep -qF "\"version\":\"$2\""
}
all_run() { for node in "${NODES[@]}"; do expect "$node runs Connect $1" runs_version "$node" "$1"; done; }

# after SECONDS SINCE: whole seconds between two times.
after() { python3 -c 'import sys; print(f"{float(sys.argv[1]) - float(sys.argv[2]):.0f}")' "$1" "$2"; }

# standin NAME VALUE: how the stand-in behaves from now on, on every node (standins/connect/release.h); "": as usual.
standin() {
  if [ -n "$2" ]; then
    database connect <<<"INSERT INTO standin VALUES ('$1', '$2') ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value"
  else
    database connect <<<"DELETE FROM standin WHERE name = '$1'"
  fi
}

# starts_since TIME: what each start of Connect did, a line each: TIME NODE VERSION WHAT
starts_since() {
  database connect <<<"SELECT format('%s %s %s %s', round(extract(epoch FROM at)::numeric, 3), node, version, what)
    FROM standin_starts WHERE at >= to_timestamp($1) ORDER BY at"
}

# pin R_VERSION, unpin: one item of content that was deployed with it.
pin() { database connect <<<"INSERT INTO apps (guid, r_version) VALUES (gen_random_uuid(), '$1')"; }
unpin() { database connect <<<'DELETE FROM apps'; }

# watch_versions: from now on. never_two [SINCE]: two versions were never connected at once, by what the database said once
# a second, and by what each start saw there.
watch_versions() {
  stop_process versions # of a step that failed
  rm -f "$RUN/log/versions.log"
  start_process versions "$LAB_HOME/scenarios/watch-versions" watch "$(database_tool psql)" -qAt -h "$RUN/database" -p "$PORT_DATABASE" -U postgres \
    -d postgres -c "SELECT DISTINCT split_part(application_name, ' ', 2) FROM pg_stat_activity
      WHERE datname = 'connect' AND application_name LIKE 'rstudio-connect %'"
  wait_for 20 "the database to be asked who runs" test -s "$RUN/log/versions.log"
}
never_two() {
  still_watched versions || return
  "$LAB_HOME/scenarios/watch-versions" never-two "$@" <"$RUN/log/versions.log" || return
  starts_since "${1:-0}" >"$RUN/log/starts.txt" || return
  ! grep ' met ' "$RUN/log/starts.txt" >&2
}

# hold_drains: from now on some use content for a minute each, on every node; where nothing runs for users, a drain is over at
# once. let_drains_end: no longer.
hold_drains() {
  start_sessions held 8 60 0.5
  sleep 30
  still_watched held
}
let_drains_end() { stop_process held; }

# never_broken EVENT: no decision since then was refused for what it would break.
never_broken() { no_event "$1" '^PLAN_REFUSED'; }

# one_after_the_other EVENT: of those who left service since then, each had come back before the next one left.
one_after_the_other() {
  events_since "$1" NODE_STATE_CHANGED >"$RUN/moves"
  awk '
    / to be draining, was to be serving/ { if (out != "") { print out " was out when " $2 " left" > "/dev/stderr"; bad = 1 } out = $2; left++ }
    / to be serving, was / && $2 == out { out = "" }
    END { exit bad || left == 0 }' "$RUN/moves"
}

# Of the files that write_serving_spec has left, what a step changes.
SPEC_FILE=$RUN/spec/cluster.yaml
CONFIG_TEMPLATE=$RUN/spec/rstudio-connect.gcfg

# without_r_other: no node needs the second R any more.
without_r_other() { sed -i "\|[ /]$R_OTHER_VERSION[,/]|d" "$SPEC_FILE" "$CONFIG_TEMPLATE"; }

# with_python_other; configure_python_other: and Connect is to run content with it.
with_python_other() {
  sed -i "s|^  python:\$|&\n    - {version: $PYTHON_OTHER_VERSION, package: $(artifact "$(python_package "$PYTHON_OTHER_VERSION")")}|" "$SPEC_FILE"
}
configure_python_other() {
  sed -i "s|^Executable = \"/opt/python/$PYTHON_VERSION/.*|&\nExecutable = \"/opt/python/$PYTHON_OTHER_VERSION/bin/python3\"|" "$CONFIG_TEMPLATE"
}

# set_sender ADDRESS: what takes a restart; one that is no address keeps Connect from starting. set_banner TEXT: what takes
# a reload.
set_sender() { sed -i "s|^SenderEmail = .*|SenderEmail = \"$1\"|" "$CONFIG_TEMPLATE"; }
set_banner() {
  sed -i -e '/^\[Standin\]$/,+1d' -e "s|^\[Server\]\$|[Standin]\nBanner = \"$1\"\n&|" "$CONFIG_TEMPLATE"
}

# go_back GENERATION [OPTION...]: where it is not open yet, a Connect was stopped only a moment ago. GENERATION is the
# number of what that makes.
go_back() {
  wait_for 180 "the way back to generation $1 to be open" admin spec rollback "$1" --yes "${@:2}"
  GENERATION=$(newest)
}

# of_rollout KEY VALUE: below rollout:, which write_whole_spec leaves on one line.
of_rollout() { sed -i "s|^rollout: {|&$1: $2, |" "$SPEC_FILE"; }

# apply_spec [OPTION...]: what stands there; GENERATION is its number then.
apply_spec() {
  admin apply "$SPEC_FILE" --yes "$@" | tee "$RUN/log/apply.txt"
  GENERATION=$(newest)
}

# dump_database, restore_database: a copy of all that Connect has there, put back in place. What was put there since is gone.
dump_database() {
  "$(database_tool pg_dump)" -h "$RUN/database" -p "$PORT_DATABASE" -U postgres -Fc -f "$RUN/database-copy" connect
}
restore_database() {
  "$(database_tool pg_restore)" -h "$RUN/database" -p "$PORT_DATABASE" -U postgres --clean --if-exists --single-transaction \
    -d connect "$RUN/database-copy"
}
