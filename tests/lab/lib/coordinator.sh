# shellcheck shell=bash
# The coordinator, on the host, from the build tree.

# admin ARGUMENT... : connect-ha as the cluster's admin.
admin() { CONNECT_HA_IDENTITY=$RUN/admin "${CONNECT_HA[@]}" "$@"; }

start_new_coordinator() {
  [ -x "${CONNECT_HA[-1]}" ] || die "${CONNECT_HA[-1]} is not built" "$BUILD_COMMAND"
  serve_agent_package
  "${CONNECT_HA[@]}" init --dir "$RUN/coordinator" --cluster lab --spec "$RUN/cluster.yaml" \
    --address "coordinator.lab.internal:$PORT_COORDINATOR" >"$RUN/log/init.log" 2>&1
  cp -r "$RUN/coordinator/admin" "$RUN/admin"
  echo "127.0.0.1:$PORT_COORDINATOR" >"$RUN/admin/coordinator" # the name is known on the nodes only
  write_spec
  start_coordinator
}

serve_agent_package() {
  local package
  package=$(find "$LAB_BUILD" -maxdepth 1 -name 'connect-ha-agent_*.deb' -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d ' ' -f 2)
  [ -n "$package" ] || die "no connect-ha-agent_*.deb in $LAB_BUILD" "$BUILD_COMMAND"
  ln -sfn "$package" "$RUN/served/connect-ha-agent.deb"
}

# write_spec: what the lab's cluster should be.
write_spec() {
  cat >"$RUN/cluster.yaml" <<SPEC
cluster: lab
# Debian is no system that Connect supports: here it is the exception that is meant.
platform: {os_id: $OS_ID, os_version: "$OS_VERSION"}
connect:
  version: $CONNECT_VERSION
runtimes:
  r: [{version: $R_VERSION}]
  python: [{version: $PYTHON_VERSION}]
  quarto: [{version: $QUARTO_VERSION}]
accounts:
  rstudio-connect: {uid: $ACCOUNT_UID, gid: $ACCOUNT_GID}
storage:
  mount_point: /mnt/connect
  nfs: {server: efs.lab.internal, export: /, port: $PORT_NFS}
database:
  major_version: $("$(database_tool postgres)" --version | sed 's/.*) \([0-9]*\)\..*/\1/')
prove: {storage: true, database: true}
limits:
  # Emulated processors answer late, and the error bar of a clock offset is half the round trip.
  clock_offset: 5s
  database_stage: 10s
  # What the file server tells of its disk is how full the host's is.
  disk_used_percent: 99
SPEC
}

# copy_store: as a backup does it, through SQLite, while the coordinator writes.
copy_store() {
  python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))' \
    "$RUN/coordinator/store.db" "$RUN/store-copy"
}

# put_store_back: the coordinator is killed, and started on the copy.
put_store_back() {
  signal_process coordinator KILL
  wait_for 10 "the coordinator to be dead" eval '! process_alive coordinator'
  rm -f "$RUN"/coordinator/store.db{,-wal,-shm}
  cp "$RUN/store-copy" "$RUN/coordinator/store.db"
  start_coordinator
}

# write_enforced_spec: the same, enforced.
write_enforced_spec() {
  {
    echo 'enforcement: enforce'
    cat "$RUN/cluster.yaml"
  } >"$RUN/enforced.yaml"
}

start_coordinator() {
  local room=()
  if has_backups; then mapfile -t room < <(in_backup_room setpriv --reuid "$(id -u)" --regid "$(id -g)" --init-groups); fi
  start_process coordinator "${room[@]}" "${CONNECT_HA[@]}" serve --dir "$RUN/coordinator" --spec "$RUN/cluster.yaml" \
    --listen "127.0.0.1:$PORT_COORDINATOR" --enrol-listen "127.0.0.1:$PORT_ENROLMENT"
  wait_for 20 "coordinator" port_open "$PORT_COORDINATOR"
}

# join_command: what `connect-ha token create` has each node run, and those that come later, as in an Auto Scaling group.
join_command() {
  admin token create --node 'node-*' --uses 9 --ttl 12h --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)["join_command"])'
}
