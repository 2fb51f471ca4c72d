# shellcheck shell=bash
# The backup before a migration. On a coordinator's host systemd has it run, by an account of its own; here a process of the
# lab's does, in that one's place. What is at /run/connect-ha-backup and /etc/connect-ha there lies below $RUN/backups, and
# only the coordinator and that process see it in its place (two empty directories of these names are left on the host).

BACKUPS=$RUN/backups

has_backups() { [ -d "$BACKUPS" ]; }

# with_backups: from now on a command that is put there is run before a migration. The coordinator is started anew for it.
with_backups() {
  local account=nobody group=nogroup
  if [ "$(id -u)" != 0 ]; then account=$(id -un) group=$(id -gn); fi
  mkdir -p "$BACKUPS"/{room,program,libraries}
  # Of these as connect-ha.tmpfiles has it; what may be run is root's alone.
  "${AS_ROOT[@]}" install -d -o "$(id -u)" -g "$group" -m 2750 "$BACKUPS/room/request"
  "${AS_ROOT[@]}" install -d -o "$account" -g "$(id -g)" -m 2750 "$BACKUPS/room/result"
  "${AS_ROOT[@]}" install -d -o root -g root -m 0755 "$BACKUPS/etc" "$BACKUPS/etc/backup.d"
  "${AS_ROOT[@]}" install -d -o "$account" -g "$group" -m 0700 "$BACKUPS/made"
  stop_process coordinator
  start_coordinator
  start_backups
}

# in_backup_room COMMAND...: prints the words that run it there, one a line.
in_backup_room() {
  local mounts=("$BACKUPS/room=/run/connect-ha-backup" "$BACKUPS/etc=/etc/connect-ha" "$LAB_BUILD/coordinator=$BACKUPS/program")
  # Where the programs are of another release, their libraries lie where not everybody may look.
  of_host || mounts+=("${PROGRAM[0]%/*}=$BACKUPS/libraries")
  printf '%s\n' "${AS_ROOT[@]}" "$LAB_HOME/services/with-mounts" "${mounts[@]}" -- "$@"
}

# As its account, which may read nothing of ours but what is mounted there.
start_backups() {
  local words command=("$BACKUPS/program/connect-ha") as=()
  of_host || command=("$BACKUPS/libraries/${PROGRAM[0]##*/}" --library-path "$BACKUPS/libraries" "${command[@]}")
  if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid nobody --regid nogroup --clear-groups)
  else
    as=(setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups)
  fi
  mapfile -t words < <(in_backup_room "$LAB_HOME/services/run-backups" "$BACKUPS/made" "${as[@]}" "${command[@]}" backup-run)
  start_process backups "${words[@]}"
}

# put_backup_command NAME: the script on standard input, as root puts it there.
put_backup_command() { "${AS_ROOT[@]}" install -o root -g root -m 0755 /dev/stdin "$BACKUPS/etc/backup.d/$1"; }

# in_backups COMMAND...: where it leaves what it makes, which is its account's alone.
in_backups() { "${AS_ROOT[@]}" sh -euc 'cd "$0" && exec "$@"' "$BACKUPS/made" "$@"; }
