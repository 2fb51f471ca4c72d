# shellcheck shell=bash
# Whether anything on the nodes changed that nobody asked for.

# node_state NODE: what would show that something was started, stopped, installed or written.
node_state() {
  on "$1" '
    for unit in rstudio-connect.service mnt-connect.mount connect-ha-agent.service chrony.service; do
      systemctl show -p Id,ActiveState,UnitFileState,InvocationID,NRestarts,DropInPaths "$unit"
    done
    stat -c "%n %a %U %G %Y %i" /etc/rstudio-connect/* /etc/systemd/system/* /var/lib/rstudio-connect/*
    sha256sum /var/lib/dpkg/status /etc/passwd /etc/group /etc/rstudio-connect/rstudio-connect.gcfg
    grep /mnt/connect /proc/self/mountinfo'
}

remember_nodes() {
  local node
  for node in "${NODES[@]}"; do node_state "$node" >"$RUN/before-$node"; done
}

expect_nodes_untouched() {
  local node
  for node in "${NODES[@]}"; do
    expect "nothing changed on $node" diff -u "$RUN/before-$node" <(node_state "$node")
  done
}
