# shellcheck shell=bash
# Users of the cluster, through the load balancer, for as long as a scenario lasts. What they get is in
# $RUN/log/users.log, a line a request.

USERS=1000
USERS_RATE=10 # requests a second, of all users: each asks every 100 s. One emulated node has to bear them all.
# Two a second come with no cookie: a node that is let in has users soon, for whom the next fault counts.

# start_users [PATH TEXT]: they ask for PATH, and TEXT has to be in the answer. Without: for what only a Connect that
# has its database can answer, by a key that is let in here.
start_users() {
  local ask=(--expect "${2:-\"username\":\"admin\"}")
  if [ $# -eq 0 ]; then
    [ -e "$RUN/users-key" ] || let_users_in
    ask+=(--key "$RUN/users-key")
  fi
  say "$USERS users ask $USERS_RATE times a second"
  start_process users "$LAB_HOME/users" run --url "http://127.0.0.1:$PORT_BALANCER${1:-/__api__/v1/user}" \
    --users "$USERS" --rate "$USERS_RATE" "${ask[@]}"
}

let_users_in() {
  (umask 077 && openssl rand -hex 16 >"$RUN/users-key")
  database connect <<<"INSERT INTO connect_api_keys VALUES (sha256('$(cat "$RUN/users-key")'))"
}

stop_users() { stop_process users; }

# still_watched NAME: the process of that name, by whom something is seen all along, has not ended before its time.
still_watched() {
  if ! process_alive "$1"; then
    printf 'nobody watches any more: %s has ended, see %s\n' "$1" "$RUN/log/$1.log" >&2
    return 1
  fi
}

# Seconds since 1970, as everything below has them.
now() { date +%s.%N; }

# of_users COMMAND [--since TIME] [--until TIME] [--came NODE] [--went NODE]: see tests/lab/users.
of_users() { "$LAB_HOME/users" "$@" <"$RUN/log/users.log"; }

# start_sessions NAME NUMBER SECONDS RATE: beside them so many who use content, so long each time: a process of Connect's that
# answers all the while. What they get is in $RUN/log/NAME.log. of_sessions NAME COMMAND...: as of_users.
start_sessions() {
  stop_process "$1" # of a step that failed
  rm -f "$RUN/log/$1.log"
  start_process "$1" "$LAB_HOME/users" run --url "http://127.0.0.1:$PORT_BALANCER/content/$3/" --users "$2" --rate "$4" \
    --expect . --patience $(($3 + 70))
}
of_sessions() { "$LAB_HOME/users" "${@:2}" <"$RUN/log/$1.log"; }

# Every user has a node: each has asked once.
all_users_have_asked() { [ "$(wc -l <"$RUN/log/users.log")" -ge "$USERS" ]; }
every_user_comes() { sleep $((USERS / USERS_RATE + 10)); }
wait_for_users() { wait_for $((USERS / USERS_RATE * 4)) "every user to have asked once" all_users_have_asked; }

# nothing_lost [--since TIME]...: of the requests that began then; how many there were is printed.
nothing_lost() {
  still_watched users || return
  of_users count "$@"
  [ "$(of_users lost "$@")" = 0 ]
}

# longest_gap SECONDS [--since TIME]...: never longer than that without an answer to anybody.
longest_gap() {
  local seconds
  still_watched users || return
  seconds=$(of_users gap "${@:2}") || return
  printf '  the longest time without an answer to anybody was %s s\n' "$seconds"
  [ "${seconds%.*}" -lt "$1" ]
}
