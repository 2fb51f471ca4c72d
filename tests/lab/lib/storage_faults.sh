# shellcheck shell=bash
# What goes wrong with the file server, and with the way of a node to it.

# change_storage [HOW...]: while it runs. What is mounted stays so, and every request is judged anew. HOW: read-only,
# root-squash, one-identity (all is made as one account, as an access point of EFS does); none: as it should be.
change_storage() {
  write_file_server_config storage "$PORT_NFS" "$@"
  signal_storage HUP
}

# restart_storage [HOW...]: killed, and started again. With other-handles what nodes have mounted is not there any more.
restart_storage() {
  signal_storage KILL
  wait_for 10 "the file server to be dead" eval '! process_alive storage'
  start_file_server storage "$PORT_NFS" "$@"
  wait_for 30 "NFS server" port_open "$PORT_NFS"
}

# small_storage MEGABYTES: the export is a file system of its own, and small. Before any node has mounted it.
small_storage() {
  stop_process storage
  mount_small storage "$1"
  start_storage
  wait_for 30 "NFS server" port_open "$PORT_NFS"
}

# mount_small SERVER MEGABYTES, end_small SERVER: under its export.
mount_small() {
  "${AS_ROOT[@]}" mount -t tmpfs -o "size=$2m,mode=0755" connect-ha-lab "$RUN/$1/export" || die \
    "this machine lets the lab mount no file system" "run the scenario where root may mount, in a virtual machine, say"
}
end_small() {
  if mountpoint -q "$RUN/$1/export"; then "${AS_ROOT[@]}" umount -l "$RUN/$1/export"; fi
}

# fill_storage PERCENT: of a small one; 100: until nothing more can be written. empty_storage: all of that away again.
fill_storage() {
  local size used
  read -r size used < <(df --output=size,used -B 1K "$RUN/storage/export" | tail -n 1)
  if [ "$1" = 100 ]; then
    "${AS_ROOT[@]}" dd if=/dev/zero of="$RUN/storage/export/fill" bs=4K status=none || [ $? = 1 ]
  else
    "${AS_ROOT[@]}" fallocate -l "$((size * $1 / 100 - used))K" "$RUN/storage/export/fill"
  fi
}
empty_storage() { "${AS_ROOT[@]}" rm -f "$RUN/storage/export/fill"; }

# start_copy_of_storage: another server, with a copy of all that is there now. It is not renewed.
start_copy_of_storage() {
  mkdir -p "$RUN/other/export"
  end_small other
  mount_small other 64 # however full the host's disk is
  "${AS_ROOT[@]}" cp -a "$RUN/storage/export/." "$RUN/other/export/"
  start_file_server other "$PORT_NFS_OTHER"
  wait_for 30 "another NFS server" port_open "$PORT_NFS_OTHER"
}

# divert NODE PORT TO: new connections of the node to that port of the host lead to another one, under the same name and
# address. undivert NODE
divert() {
  script_on "$1" <<SCRIPT
nft add table ip elsewhere
nft 'add chain ip elsewhere out { type nat hook output priority -100; }'
nft add rule ip elsewhere out ip daddr 10.0.2.2 tcp dport $2 dnat to 10.0.2.2:$3
SCRIPT
}
undivert() { on "$1" 'nft delete table ip elsewhere'; }

# unmount NODE, mount_again NODE: Connect is stopped for it, and started after. Lazily: a stale mount is left, too.
unmount() {
  on "$1" 'systemctl stop rstudio-connect.service
    umount -l /mnt/connect
    # It fails where systemd has not seen yet that the mount is gone; whether it is, the next line asks.
    systemctl stop mnt-connect.mount || true
    ! findmnt /mnt/connect'
}
mount_again() {
  on "$1" 'systemctl start mnt-connect.mount && systemctl start rstudio-connect.service'
  wait_for 120 "Connect on $1" connect_answers "$1"
}
