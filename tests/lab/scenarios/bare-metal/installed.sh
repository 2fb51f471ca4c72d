# shellcheck shell=bash
# What is on the nodes when they are as the specification says and serve, and what the checklist says of them then.

# is_on NODE: what is asked of the node itself.
is_on() {
  script_on "$1" <<SCRIPT
id -u rstudio-connect
id -g rstudio-connect
dpkg-query -W -f '\${Package} \${Version} \${Status}\n' rstudio-connect 'r-[0-9]*' 'python-[0-9]*' |
  grep 'ok installed' | sort
ls /opt/quarto
stat -c '%a %U %n' /etc/rstudio-connect/rstudio-connect.gcfg /var/lib/rstudio-connect/*.lic
findmnt -rn -o SOURCE,FSTYPE /mnt/connect
stat -c '%a %U %n' /mnt/connect/data /etc/systemd/system/mnt-connect.mount \\
  /etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf
systemctl show -p UnitFileState --value rstudio-connect.service
systemctl show -p ActiveState --value rstudio-connect.service
SCRIPT
}

# is_wanted CONNECT_VERSION: what it has to answer.
is_wanted() {
  cat <<WANTED
$ACCOUNT_ID
$ACCOUNT_ID
$(printf '%s\n' "python-$PYTHON_VERSION 1 hold ok installed" "r-$R_OTHER_VERSION 1 hold ok installed" \
    "r-$R_VERSION 1 hold ok installed" "rstudio-connect $1~ubuntu22 hold ok installed" | sort)
$(printf '%s\n' "$QUARTO_OTHER_VERSION" "$QUARTO_VERSION" | sort)
600 root /etc/rstudio-connect/rstudio-connect.gcfg
600 root /var/lib/rstudio-connect/connect.lic
efs.lab.internal:/ nfs4
755 root /mnt/connect/data
644 root /etc/systemd/system/mnt-connect.mount
644 root /etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf
enabled
active
WANTED
}

wanted_rules_pass() {
  local rule
  for rule in connect-version-matches runtimes-match-r runtimes-match-python runtimes-match-quarto accounts-match \
    configuration-matches configuration-is-protected connect-files-intact license-is-valid storage-is-mounted \
    storage-works storage-allows-ownership data-dir-is-shared database-is-same database-is-ours service-is-healthy; do
    outcome_is "$rule" PASS || return 1
  done
}

# expect_as_specified CONNECT_VERSION
expect_as_specified() {
  local node
  for node in "${NODES[@]}"; do
    is_on "$node" >"$RUN/$node-is"
    diff -u <(is_wanted "$1") "$RUN/$node-is"
    expect "the configuration of $node has its own name" \
      on "$node" "grep -q '/mnt/connect/metrics/$node\"' /etc/rstudio-connect/rstudio-connect.gcfg"
  done
  wait_for 240 "what the specification asks for to pass" wanted_rules_pass
  # By the process that runs, and each node says it.
  evidence --rule connect-version-matches >"$RUN/evidence"
  for node in "${NODES[@]}"; do
    expect "$node says that it has Connect $1" grep -q "^connect-version-matches $node PASS .*$1" "$RUN/evidence"
  done
}
