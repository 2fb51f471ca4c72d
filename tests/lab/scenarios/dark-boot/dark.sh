# shellcheck shell=bash
# node-2 alone.

# boot_in_the_dark: node-2 is switched off, the coordinator and the file server go away, and node-2 boots.
boot_in_the_dark() {
  switch_off node-2
  stop_process coordinator
  stop_process storage
  boot_node node-2
  wait_for 300 "ssh to node-2" node_ready node-2
  wait_for 120 "the agent on node-2" on node-2 'systemctl is-active connect-ha-agent.service'
}

mount_is() { [ "$(on node-2 'systemctl show -p ActiveState --value mnt-connect.mount')" = "$1" ]; }

unit_is_at_rest() { on node-2 'systemctl show -p ActiveState --value rstudio-connect.service' | grep -qxE 'inactive|failed'; }

# connect_never_started: since the boot; and nothing of it is on the local disk.
connect_never_started() {
  on node-2 'journalctl --no-pager -b -o short' >"$RUN/journal-node-2"
  expect "the journal tells of the mount" grep -q 'mnt-connect.mount\|/mnt/connect' "$RUN/journal-node-2"
  expect "Connect was never started" sh -c "! grep -qE 'Start(ed|ing) Posit Connect' '$RUN/journal-node-2'"
  if ! on node-2 'findmnt /mnt/connect' >/dev/null; then
    expect "nothing was written beneath the mount point" [ -z "$(on node-2 'ls -A /mnt/connect')" ]
  fi
}

# status_of_connect NAME: as a person sees it, kept in log/status-NAME.txt. Of what does not run, systemctl exits with 3;
# what it says is for the caller to look at.
status_of_connect() {
  on node-2 'systemctl status --no-pager rstudio-connect.service || true' | tee "$RUN/log/status-$1.txt"
}
