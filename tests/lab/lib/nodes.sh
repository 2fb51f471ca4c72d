# shellcheck shell=bash
# Makes cluster nodes of the running machines, as EC2 does: each gets user data and runs it at its first boot.

# user_data [JOIN_COMMAND]: prints the script, which is one for all nodes, as in an Auto Scaling group. Without a join
# command the node gets no agent.
user_data() {
  local JOIN_COMMAND=${1:-} DATABASE_PASSWORD SMTP_PASSWORD LICENSE_END AGENT_PACKAGE=connect-ha-agent.deb
  DATABASE_PASSWORD=$(cat "$RUN/database-password")
  SMTP_PASSWORD=$(cat "$RUN/smtp-password")
  LICENSE_END=$(date -u -d '+300 days' +%F)
  echo '#!/bin/bash'
  # shellcheck disable=SC2016 # for the node
  echo 'NODE=$(uname -n)'
  declare -p JOIN_COMMAND DATABASE_NAME DATABASE_USER DATABASE_PASSWORD SMTP_PASSWORD LICENSE_END AGENT_PACKAGE \
    R_VERSION PYTHON_VERSION QUARTO_VERSION PORT_TIME PORT_NFS PORT_PACKAGES PORT_BALANCER PORT_DATABASE
  cat "$LAB_HOME/node/setup-node"
  if bare; then cat "$LAB_HOME/node/make-bare"; else cat "$LAB_HOME/node/install-by-hand"; fi
  if [ -n "$JOIN_COMMAND" ]; then cat "$LAB_HOME/node/join-cluster"; fi
}

bare() { [ -e "$RUN/bare" ]; }

# first_boot NODE: the clock of a restored machine is the one it was saved with, so it is set first.
first_boot() {
  local node=$1
  if on_ec2; then
    node_ssh "$node" "date -s @$(date +%s.%N) >/dev/null; systemctl restart user-data.service" </dev/null
  else
    node_ssh "$node" "date -s @$(date +%s.%N) >/dev/null; cat >/root/user-data" <"$RUN/imds/$node/user-data"
    node_ssh "$node" /usr/local/sbin/run-user-data /root/user-data >"$RUN/log/user-data-$node.log" 2>&1 </dev/null
  fi
}

# first_boots [JOIN_COMMAND]: all nodes at once.
first_boots() {
  local node pids=() pid
  (umask 077 && user_data "$@" >"$RUN/user-data")
  for node in "${NODES[@]}"; do
    cp "$RUN/user-data" "$RUN/imds/$node/"
    first_boot "$node" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || die "the user data of a node failed" \
      "tests/lab/lab ssh NODE journalctl -u user-data, or look at the logs in $RUN/log"
  done
}

connect_answers() {
  curl -fsS -m 3 -o "$RUN/ping" "http://127.0.0.1:$(connect_port "$1")/__ping__"
}

# switch_off NODE: as a person does it, or an Auto Scaling group: what runs there is stopped first.
switch_off() {
  node_ssh "$1" 'systemctl poweroff' </dev/null || true # the connection ends with it; that the machine does is waited for below
  close_ssh "$1"
  wait_for 240 "$1 to be off" eval "! process_alive vm-$1"
}
