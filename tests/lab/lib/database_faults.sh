# shellcheck shell=bash
# What goes wrong with the database, and with the way of a node to it.

# run_database [OPTION...]: of the data directory that is in use.
run_database() {
  start_process database "${AS_DATABASE[@]}" "$(database_tool postgres)" -D "$(cat "$RUN/database-in-use")" "$@"
  wait_for 60 "database" database_answers
}
database_answers() { echo 'SELECT 1' | database; }

# end_database SIGNAL: INT lets nobody wait, QUIT is a crash.
end_database() {
  signal_process database "$1"
  wait_for 60 "the database to end" eval '! process_alive database'
}

restart_database() {
  end_database INT
  run_database "$@"
}

# copy_database NAME [OPTION...]: a physical copy, as pg_basebackup makes it, in $RUN/database/NAME.
copy_database() {
  (cd / && "${AS_DATABASE[@]}" "$(database_tool pg_basebackup)" -h "$RUN/database" -p "$PORT_DATABASE" -U postgres \
    -D "$RUN/database/$1" -X stream -c fast "${@:2}")
}

# run_copy NAME: beside the other, at a port of its own.
run_copy() {
  start_process "database-$1" "${AS_DATABASE[@]}" "$(database_tool postgres)" -D "$RUN/database/$1" -c "port=$PORT_DATABASE_OTHER"
  wait_for 60 "the copy of the database" port_open "$PORT_DATABASE_OTHER"
}

# end_copy NAME
end_copy() {
  signal_process "database-$1" INT
  wait_for 60 "the copy of the database to end" eval "! process_alive 'database-$1'"
}

# fail_over NAME: the primary dies, and its standby takes its place under its name.
fail_over() {
  end_database QUIT
  (cd / && "${AS_DATABASE[@]}" "$(database_tool pg_ctl)" -D "$RUN/database/$1" -w promote)
  end_copy "$1"
  echo "$RUN/database/$1" >"$RUN/database-in-use"
  run_database
}

# standby_has_all: what the primary has written.
standby_has_all() {
  local written replayed
  written=$(echo 'SELECT pg_current_wal_lsn()' | database)
  replayed=$(echo "SELECT replay_lsn >= '$written' FROM pg_stat_replication" | database)
  [ "$replayed" = t ]
}

reload_database() { echo 'SELECT pg_reload_conf()' | database; }

# present NAME DAYS: from now on the server shows a certificate of its authority for that name.
present() {
  make_database_certificate "$1" "$2"
  reload_database
}
present_right() { present "$DATABASE_NAME" 30; }
present_self_signed() {
  as_database "openssl req -x509 -key server.key -days 30 -subj '/CN=$DATABASE_NAME' \
    -addext 'subjectAltName=DNS:$DATABASE_NAME' -out server.crt"
  reload_database
}

# end_agents_sessions: the agents log in anew, by the way that is there now.
end_agents_sessions() {
  echo "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'connect-ha-agent'" | database
}

# run_pooler: PgBouncer in transaction mode before the database, at a port of its own.
run_pooler() {
  printf '"%s" "%s"\n' "$DATABASE_USER" "$(cat "$RUN/database-password")" |
    "${AS_DATABASE[@]}" sh -c "umask 077 && cat >'$RUN/database/pooler-users'"
  "${AS_DATABASE[@]}" tee "$RUN/database/pooler.ini" >/dev/null <<CONF
[databases]
* = host=127.0.0.1 port=$PORT_DATABASE
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $PORT_DATABASE_OTHER
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = $RUN/database/pooler-users
client_tls_sslmode = require
client_tls_cert_file = $RUN/database/server.crt
client_tls_key_file = $RUN/database/server.key
server_tls_sslmode = require
CONF
  start_process pooler "${AS_DATABASE[@]}" pgbouncer "$RUN/database/pooler.ini"
  wait_for 30 "the pooler" port_open "$PORT_DATABASE_OTHER"
}

# take_connections COUNT: by sessions of the superuser, who is let in where others are not any more. They last until
# the database is restarted.
take_connections() {
  local number
  for number in $(seq "$1"); do
    start_process "session-$number" "$(database_tool psql)" -qAt -h "$RUN/database" -p "$PORT_DATABASE" -U postgres -d postgres \
      -c 'SELECT pg_sleep(86400)'
  done
}

# right_again SECONDS AWAY: waits until the checklist was right for so long, and says for how long it was not, from now
# on, after the database was AWAY s. That is to be no longer than it was away, and two rounds and a heartbeat: in the
# first round a node notices that its session has ended, or tries again after the longest wait; by the end of the second
# it has the new one, and the others have seen its lock; the heartbeat tells it. A round is 30 s, a heartbeat comes every
# 5 s. Processors that are emulated meet it: a session that is new is looked at every 5 s, not after another 30.
right_again() {
  local began=$SECONDS now first='' last='' most=$(($2 + 2 * 30 + 5))
  while :; do
    now=$((SECONDS - began))
    if ! all_is_right >/dev/null; then
      first=${first:-$now}
      last=$now
      [ "$now" -lt 900 ] || die "the checklist is not right again after $now s" "tests/lab/lab connect-ha checklist"
    elif [ $((now - ${last:-0})) -ge "$1" ]; then
      break
    fi
    sleep 1
  done
  if [ -z "$first" ]; then
    echo "  the checklist was right all the time"
  else
    echo "  the checklist was not right from $first s to $last s after it; at most $most s are allowed"
    expect "right again after the database was away $2 s" [ $((last - first)) -le "$most" ]
  fi
}
