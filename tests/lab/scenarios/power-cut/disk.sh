# shellcheck shell=bash
# What is on the disk of a node that is dead.

PATH=$PATH:/usr/sbin:/sbin

# copy_disk NODE: to $RUN/NODE.disk, and there what the file system had in its journal is put in place, as a boot does.
copy_disk() {
  qemu-img convert -O raw "$RUN/$1.qcow2" "$RUN/$1.disk"
  local result=0
  e2fsck -y -E journal_only "$RUN/$1.disk" >"$RUN/log/e2fsck-$1.log" 2>&1 || result=$?
  [ "$result" -le 1 ] # 1: it put something right
}

# on_disk NODE FILE: prints it, nothing when it is not there.
on_disk() { debugfs -R "cat $2" "$RUN/$1.disk" 2>/dev/null; }

# updates_on_disk NODE: the names of the changes that dpkg had not yet put into its status file, in order.
updates_on_disk() {
  debugfs -R "ls -p /var/lib/dpkg/updates" "$RUN/$1.disk" 2>/dev/null | cut -d / -f 6 | grep -E '^[0-9]+$' | sort ||
    [ $? = 1 ]
}

# state_on_disk NODE PACKAGE: dpkg's three words for it, as dpkg would read them: the status file, then the updates.
state_on_disk() {
  local update
  {
    on_disk "$1" /var/lib/dpkg/status
    for update in $(updates_on_disk "$1"); do
      echo
      on_disk "$1" "/var/lib/dpkg/updates/$update"
    done
  } | awk -v package="$2" '
    $1 == "Package:" { name = $2 }
    $1 == "Status:" && name == package { state = $2 " " $3 " " $4 }
    END { print state }'
}
