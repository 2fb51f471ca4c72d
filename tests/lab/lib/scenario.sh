# shellcheck shell=bash
# What the steps of a scenario use. A step fails by a command that fails, or by expect.
set -Eeuo pipefail
# A command that fails ends the step: which line of it, and by which command, as it is written.
say_where() { printf '  failed: line %s of %s: %s\n' "${BASH_LINENO[-2]}" "${BASH_SOURCE[-1]##*/}" "$1" >&2; }
trap 'say_where "$BASH_COMMAND"' ERR

# shellcheck source=all.sh
. "$(dirname "${BASH_SOURCE[0]}")/all.sh"
load_ports
load_image_of_run

# expect WHAT COMMAND... : the command has to succeed.
expect() {
  local what=$1
  shift
  if ! "$@"; then
    printf 'expected: %s\n' "$what" >&2
    exit 1
  fi
}

# refuse WHAT PATTERN COMMAND... : the command has to fail, and say why in words that match the pattern.
refuse() {
  local what=$1 pattern=$2 output
  shift 2
  if output=$("$@" 2>&1 </dev/null); then
    printf 'expected a refusal: %s\ngot: %s\n' "$what" "$output" >&2
    exit 1
  fi
  if ! grep -qE -- "$pattern" <<<"$output"; then
    printf 'refused, but not in words that match "%s": %s\ngot: %s\n' "$pattern" "$what" "$output" >&2
    exit 1
  fi
  printf '  refused: %s: %s\n' "$what" "$(head -n 1 <<<"$output")"
}

# has_words FILE PATTERN: what the program wrote there for people has these words, wherever its lines break.
has_words() { tr -s ' \n' '  ' <"$1" | grep -E -- "$2" >/dev/null; }

# on NODE COMMAND: runs it there.
on() { node_ssh "$1" "$2" </dev/null; }

# judged COMMAND...: of the admin's command line. That something fails or is unknown is no failure here; a coordinator
# that does not answer leaves nothing to read, and whoever reads it fails.
judged() {
  local result=0
  admin "$@" || result=$?
  case $result in
    0 | 1 | 3) ;;
    *) return "$result" ;;
  esac
}

# checklist [OPTION...]: the checklist as JSON.
checklist() { judged checklist --output json "$@"; }

# outcomes [OPTION...]: one line a rule: RULE OUTCOME NODE,... with the nodes whose evidence is not a pass.
outcomes() { checklist "$@" | "$LAB_HOME/scenarios/read-checklist" outcomes; }

# evidence [OPTION...]: one line for what each node said: RULE NODE OUTCOME TEXT.
evidence() { checklist "$@" | "$LAB_HOME/scenarios/read-checklist" evidence; }

# troubles [OPTION...]: the same, but for rules that pass or do not apply.
troubles() {
  outcomes "$@" >"$RUN/outcomes-now" || return
  test -s "$RUN/outcomes-now" || return
  grep -v -E '^[^ ]+ (PASS|NOT_APPLICABLE)( |$)' "$RUN/outcomes-now" || [ $? = 1 ]
}

# since: one line a rule: RULE OUTCOME SINCE.
since() { checklist | "$LAB_HOME/scenarios/read-checklist" since; }

outcome_is() { outcomes --rule "$1" | grep -qE "^$1 $2( |\$)"; }

# troubles_are FILE: exactly these rules do not pass; the order does not matter.
troubles_are() {
  troubles >"$RUN/troubles" || return
  diff -u <(sort "$1") <(sort "$RUN/troubles")
}

# findings_are FILE [RULE]...: every finding is as `since` printed it into the file. Left out are these rules, and that
# the data is shared, which each coordinator has proved anew.
findings_are() {
  local rule others=(-e '^data-dir-is-shared ')
  for rule in "${@:2}"; do others+=(-e "^$rule "); done
  since >"$RUN/findings" || return
  diff -u <(grep -v "${others[@]}" "$1") <(grep -v "${others[@]}" "$RUN/findings")
}

# all_is_right: every rule passes, or does not apply.
all_is_right() { troubles_are /dev/null; }

# settle: waits until every probe of the new nodes has been through once, the slow ones too, and all is proved.
settle() { wait_for 900 "a checklist without findings" all_is_right; }

# held: the generation that each node holds, a line each. all_hold GENERATION
held() { judged status --output json | python3 -c 'import json, sys
for node in json.load(sys.stdin)["snapshot"]["nodes"]: print(node.get("reported_generation", "0"))'; }
all_hold() { [ "$(held | sort -u)" = "$1" ]; }

# install_and_observe: bare nodes are brought to the specification by their agents, and into service: installed, mounted,
# guarded, started. Then nothing is enforced any more, and what runs goes on.
install_and_observe() {
  local enforced
  apply_whole_spec enforce --wait
  enforced=$(held | sort -u)
  apply_whole_spec observe
  wait_for 60 "the nodes to enforce nothing any more" all_hold $((enforced + 1))
  for node in "${NODES[@]}"; do expect "Connect to run on on $node" connect_answers "$node"; done
}

# script_on NODE: runs the script on standard input there. For what must not stand in an argument list.
script_on() { node_ssh "$1" bash -euo pipefail -s; }

# capture_wire NODE FILE: from now on everything on the node's network card goes to a pcap file as well.
capture_wire() {
  "$LAB_HOME/services/qmp" "$RUN/qmp-$1" object-add \
    "{\"qom-type\": \"filter-dump\", \"id\": \"wire\", \"netdev\": \"lan\", \"file\": \"$2\", \"maxlen\": 65536}" >/dev/null
}

# end_capture NODE: the file is complete after this.
end_capture() { "$LAB_HOME/services/qmp" "$RUN/qmp-$1" object-del '{"id": "wire"}' >/dev/null; }
