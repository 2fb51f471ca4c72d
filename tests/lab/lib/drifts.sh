# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # make_it and undo_it are called by drift
# What goes wrong on node-2 while it serves: each is made, judged and undone by lib/drift.sh.

KEY=/mnt/connect/data/db/secret.key # as the whole specification has it

drift_unmounted() {
  make_it() { on node-2 "$AT; umount -l /mnt/connect"; }
  undo_it() { :; }
  drift "the file system is unmounted" mended storage-is-mounted '^RESOURCE_CHANGED node-2 mount /mnt/connect'
}

# Lazily: an agent that looks at it just then keeps it busy.
drift_covered() {
  make_it() { on node-2 "mkdir -p /srv/local/data; $AT; mount --bind /srv/local /mnt/connect"; }
  undo_it() { on node-2 'umount -l /mnt/connect && rm -rf --one-file-system /srv/local'; }
  drift "a local directory is mounted over it" fenced storage-is-mounted
}

# Two nodes differ, and both serve: nobody can tell which is right.
drift_key() {
  make_it() {
    on node-2 "head -c 512 /dev/urandom | od -An -tx1 | tr -d ' \n' >/root/other.key && chmod 0600 /root/other.key
      $AT
      mount --bind /root/other.key $KEY"
  }
  undo_it() { on node-2 "umount -l $KEY"; }
  drift "node-2 has another key" told encryption-key-matches 'encryption-key-matches: .*nobody is taken out'
}

# Put back, where a Connect that runs has what is right.
FILE="^RESOURCE_CHANGED node-2 file $CONFIG"

drift_other_url() {
  make_it() { on node-2 "$AT; sed -i 's|:$PORT_DATABASE/connect?|:$PORT_DATABASE/other?|' $CONFIG"; }
  undo_it() { :; }
  drift "the file names another database" mended configuration-matches "$FILE: .*Postgres.URL"
}

drift_no_gcfg() {
  make_it() { on node-2 "$AT; printf '\n[Server\n' >>$CONFIG"; }
  undo_it() { :; }
  drift "the file does not parse" mended configuration-is-valid "$FILE: .*no gcfg"
}

drift_readable() {
  make_it() { on node-2 "$AT; chmod 0644 $CONFIG"; }
  undo_it() { :; }
  drift "everybody may read the file" mended configuration-is-protected "$FILE: "
}

drift_uid() {
  make_it() { on node-2 "$AT; sed -i 's/^\(rstudio-connect:[^:]*\):[0-9]*:/\1:4242:/' /etc/passwd"; }
  undo_it() { on node-2 "sed -i 's/^\(rstudio-connect:[^:]*\):[0-9]*:/\1:$ACCOUNT_ID:/' /etc/passwd"; }
  drift "another uid of Connect's account" closed accounts-match
}

drift_clock() {
  make_it() {
    now # node-2's is about to be wrong
    on node-2 "systemctl stop chrony.service; date -s \"\$(date -d '-10 seconds' '+%F %T.%N')\" >&2"
  }
  undo_it() {
    on node-2 "date -s @$(now) && systemctl start chrony.service"
  }
  drift "the clock is 10 s behind, and not kept" closed clocks-are-synchronised
}

# Its Connect loses what it had open, too, and does not answer either: whichever of the two has lasted long enough first
# is what it leaves for.
drift_cut_off() {
  make_it() {
    on_node_2 <<SCRIPT
$AT
nft add table inet cut
nft 'add chain inet cut out { type filter hook output priority 0; }'
nft add rule inet cut out tcp dport $PORT_DATABASE drop
SCRIPT
  }
  undo_it() { on node-2 'nft delete table inet cut'; }
  drift "the database is out of its reach" held database-reachable "database-reachable|service-is-healthy: /__ping__ does not answer"
}

drift_killed() {
  make_it() {
    on node-2 "$AT; systemd-run --quiet --unit=killer sh -c 'while :; do systemctl kill --signal KILL rstudio-connect.service; sleep 2; done'"
  }
  # Where it did not start however often it was tried, a person has it tried anew.
  undo_it() {
    on node-2 'systemctl stop killer.service'
    if is_told node-2 STOPPED; then admin node start node-2 --reason "nobody kills it any more"; fi
  }
  drift "Connect is killed in a loop" left service-is-healthy 'service-is-healthy|Connect does not start'
}

drift_version() {
  make_it() {
    on node-2 "curl -fsS -o /var/cache/package.deb http://10.0.2.2:$PORT_PACKAGES/packages/$(connect_package "$CONNECT_EARLIER_VERSION")
      $AT
      dpkg --force-confold --install /var/cache/package.deb >&2"
  }
  undo_it() { :; } # what is fenced is brought to the specification
  drift "another version is installed by hand" fenced connect-version-matches
}
