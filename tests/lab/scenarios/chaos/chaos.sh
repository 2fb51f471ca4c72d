# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # what is called here is by name, with what the libraries have set
# One change of each kind, and in each phase of it the same thing goes wrong. The phases are those that the program names:
# one that this file does not know how to get to is an error.

# In the order in which they are come to; what is done in each is in enter_PHASE below.
PHASES_IN_PLACE=(IN_PLACE)
PHASES_ROLLING=(STAGING ROLLING DONE)
PHASES_TOGETHER=(STAGING REFUSED ABORTED AWAITING BACKING_UP STOPPING FIRST REST DONE)

DARK=15 # seconds without a coordinator
CUT=50  # without a network: longer than facts count (limits.stale_after)

# every_phase_is_known: by name, and by the kinds of change that it is a phase of.
every_phase_is_known() {
  admin rollout phases --output json | read_rollout phases >"$RUN/phases"
  sed 's/^/  /' "$RUN/phases"
  diff -u <(printf '%s\n' "${PHASES_IN_PLACE[@]}" "${PHASES_ROLLING[@]}" "${PHASES_TOGETHER[@]}" | sort -u) \
    <(cut -d ' ' -f 1 "$RUN/phases" | sort)
  known_for 'in place' "${PHASES_IN_PLACE[@]}"
  known_for rolling "${PHASES_ROLLING[@]}"
  known_for together "${PHASES_TOGETHER[@]}"
}
known_for() {
  local phase
  for phase in "${@:2}"; do expect "$phase is one of a change $1" grep -qE "^$phase .*$1" "$RUN/phases"; done
}

# What the specification is at this moment, kept between the steps: the version, and what each change makes another.
remember_spec() { declare -p VERSION SENDER BANNER WITHOUT_R BACKUP >"$RUN/chaos-spec"; }
write_chaos_spec() {
  write_serving_spec enforce "$VERSION"
  set_sender "chaos-$SENDER@lab.internal"
  set_banner "chaos $BANNER"
  if [ "$WITHOUT_R" = yes ]; then without_r_other; fi
  if [ "$BACKUP" = yes ]; then
    sed -i 's/^database:$/&\n  backup_before_migration: {command: not-there, deadline: 60s}/' "$SPEC_FILE"
  fi
  remember_spec
}

# chaos FAULT NEWER_VERSION: FAULT is a function of that name below.
chaos() {
  local fault=$1 event began
  # shellcheck disable=SC1091
  . "$RUN/chaos-spec"
  event=$(last_event)
  began=$(now)
  watch_gates

  another_of IN_PLACE
  a_change IN_PLACE "${PHASES_IN_PLACE[@]}"
  [ "$fault" != coordinator ] || expect "nobody left service" no_event "$event" "$LEFT"
  expect "one gate was open all the time" one_serves "$began"

  began=$(now)
  event=$(last_event)
  WITHOUT_R=no
  another_of ROLLING
  a_change ROLLING "${PHASES_ROLLING[@]}"
  expect "one gate was open all the time" one_serves "$began"
  of_users count --since "$began"

  began=$(now)
  event=$(last_event)
  VERSION=$2 WITHOUT_R=yes BACKUP=yes
  another_of TOGETHER
  standin start_seconds 30 # nobody comes back before it was seen that the first is right
  standin migration_seconds 20
  a_change TOGETHER "${PHASES_TOGETHER[@]}"
  never_two "$began"
  sed 's/^/  /' "$RUN/log/starts.txt"
  others_came_after
  of_users count --since "$began"
}

# another_of KIND: what differs for a change of that kind, beside what differs already.
another_of() {
  BANNER=$((BANNER + 1))
  [ "$1" != ROLLING ] || SENDER=$((SENDER + 1))
  write_chaos_spec
}

# a_change KIND PHASE...: applied, gone through with the fault in each phase, and done.
a_change() {
  local kind=$1 phase change_event change_began
  change_event=$(last_event)
  change_began=$(now)
  apply_spec
  for phase in "${@:2}"; do in_phase "$phase"; done
  # What takes long is said to have stopped half way, and goes on all the same.
  wait_for "$TO_CHANGE" "generation $GENERATION to be in force, and done" is_done "$GENERATION"
  wait_both_serve
  tell_change "$GENERATION"
  printf '  %s: from apply to done %s s\n' "$kind" "$(after "$(now)" "$change_began")"
  expect "the change is done" change_was "$GENERATION" "$kind" DONE
  expect "no decision was refused" never_broken "$change_event"
  expect "no rule fenced anybody" no_event "$change_event" '^NODE_STATE_CHANGED .*to be fenced'
}

# in_phase PHASE: gets there, and does it.
in_phase() {
  local began=$SECONDS
  "enter_$1"
  say "$1: $(cat "$RUN/change")"
  "$fault" "$1"
  printf '  %-10s %-12s come to after %4d s, over after %4d s\n' "$1" "$fault" $((ENTERED - began)) $((SECONDS - ENTERED))
  if [ "$(type -t "leave_$1")" = function ]; then "leave_$1"; fi
}

# entered SECONDS PHASE [STANDING [WORDS]]: of the generation that was applied.
entered() {
  wait_change "$@"
  ENTERED=$SECONDS
}

# any_is_out: it was told to be something else than serving with its gate open; which one, in $RUN/out.
any_is_out() {
  states | awk '$2 != "SERVING" && $2 != "OBSERVED" { print $1 }' >"$RUN/out"
  test -s "$RUN/out"
}

# catch PHASE LATER: what passes by itself, and may have passed before it was seen: then it is asked for once more, of the
# same kind.
catch() {
  local tries
  for tries in 1 2 3; do
    entered "$TO_STAGE" "$1|$2"
    if phase_is "$1"; then return; fi
    say "$1 had passed already, $tries times"
    another_of "$kind"
    apply_spec
  done
  die "$1 passes before it is seen" "make it last longer, in scenarios/chaos/chaos.sh"
}
enter_IN_PLACE() { catch IN_PLACE DONE; }
enter_STAGING() { catch STAGING 'AWAITING|ROLLING|DONE'; }
enter_ROLLING() {
  entered "$TO_STAGE" 'ROLLING|DONE'
  wait_for 300 "a node to be out for it" any_is_out
  expect "that it is out for the change" change_is "$GENERATION" ROLLING
}
# Content that is pinned to what the generation leaves out, since it was applied.
enter_REFUSED() {
  wait_change "$TO_STAGE" AWAITING
  pin "$R_OTHER_VERSION"
  checklist --refresh >/dev/null
  entered "$TO_STAGE" REFUSED HALTED 'pinned'
}
leave_REFUSED() {
  unpin
  checklist --refresh >/dev/null
  wait_change "$TO_STAGE" AWAITING
}
enter_ABORTED() {
  admin rollout abort --reason "the lab gives it up"
  entered 60 ABORTED
}
leave_ABORTED() {
  admin rollout resume --reason "the lab goes on"
  wait_change "$TO_STAGE" AWAITING
}
enter_AWAITING() { entered "$TO_STAGE" AWAITING WAITS approv; }
enter_BACKING_UP() {
  admin approve "$GENERATION" --reason "the lab goes on"
  entered "$TO_STAGE" BACKING_UP
}
# Nothing here runs the command, which is no failure of the coordinator's: it stops there, all as before, until somebody
# says otherwise. A newer generation without it goes on.
leave_BACKING_UP() {
  wait_change "$TO_STAGE" BACKING_UP HALTED 'the backup before it failed'
  change_fixes
  for node in "${NODES[@]}"; do wait_serves "$node"; done
  BACKUP=no
  write_chaos_spec
  apply_spec
  wait_change "$TO_STAGE" AWAITING WAITS approv
}
enter_STOPPING() {
  hold_drains
  admin approve "$GENERATION" --reason "the lab goes on"
  entered "$TO_STAGE" 'STOPPING|FIRST|REST|DONE'
  expect "that it is seen before it is over" phase_is STOPPING
}
leave_STOPPING() { let_drains_end; }
enter_FIRST() {
  entered "$TO_CHANGE" 'FIRST|REST|DONE'
  expect "that it is seen before it is over" phase_is FIRST
  FIRST=$(of_change "$GENERATION" first)
}
enter_REST() {
  entered "$TO_CHANGE" 'REST|DONE'
  expect "that it is seen before it is over" phase_is REST
}
enter_DONE() { entered "$TO_CHANGE" DONE; }

# victim PHASE: the node that it happens to: who is at work then.
victim() {
  local node
  case $1 in
    ROLLING) sed -n 1p "$RUN/out" ;;
    FIRST) echo "$FIRST" ;;
    REST) for node in "${NODES[@]}"; do [ "$node" = "$FIRST" ] || echo "$node"; done ;;
    *) echo node-2 ;;
  esac
}

coordinator() {
  kill_coordinator
  sleep "$DARK"
  start_coordinator
}

node() {
  local name
  name=$(victim "$1")
  say "$name loses its power"
  cut_power "$name"
  sleep 5
  boot_node "$name"
  wait_for 300 "ssh to $name" node_ready "$name"
}

# Nothing comes through but what the lab itself says there: no coordinator, no database, no file server, no user.
network() {
  local name
  name=$(victim "$1")
  say "$name has no network"
  script_on "$name" <<SCRIPT
nft add table inet cut
nft 'add chain inet cut out { type filter hook output priority 0; }'
nft add rule inet cut out ip daddr 10.0.2.2 tcp dport '{ $PORT_COORDINATOR, $PORT_ENROLMENT, $PORT_DATABASE, $PORT_NFS, $PORT_PACKAGES }' drop
nft 'add chain inet cut in { type filter hook input priority 0; }'
nft add rule inet cut in iifname != lo tcp dport '{ 3939, $GATE_PORT }' drop
SCRIPT
  sleep "$CUT"
  on "$name" 'nft delete table inet cut'
}

# others_came_after: nobody but the first started the newer version before that was right.
others_came_after() {
  awk -v first="$FIRST" -v version="$VERSION" '
    $3 == version && $4 == "starts" && $2 != first && !right { print "started before the first was right: " $0 > "/dev/stderr"; bad = 1 }
    $3 == version && $4 == "serves" && $2 == first { right = 1 }
    END { exit bad || !right }' "$RUN/log/starts.txt"
}
