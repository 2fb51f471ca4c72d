# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the steps
# What is done to node-2, and how it looks when that is so and when it is mended.

R_FILE=/opt/R/$R_VERSION/lib/R/etc/Renviron
QUARTO_FILE=/opt/quarto/$QUARTO_VERSION/share/version
CONFIG_FILE=/etc/rstudio-connect/rstudio-connect.gcfg

differences() { "$LAB_HOME/scenarios/read-differences" "$@"; }

# tamper: and remembers the last event before.
tamper() {
  admin events --output json --limit 1 | differences last >"$RUN/last-event"
  script_on node-2 <<SCRIPT
echo '# tampered' >>$R_FILE
rm $QUARTO_FILE
sed -i 's/^NoWarning = .*/NoWarning = "false"/' $CONFIG_FILE
SCRIPT
}

is_tampered() { on node-2 "grep -q tampered $R_FILE && ! test -e $QUARTO_FILE && grep -q 'NoWarning = \"false\"' $CONFIG_FILE"; }
is_mended() { on node-2 "! grep -q tampered $R_FILE && test -e $QUARTO_FILE && ! grep -q 'NoWarning = \"false\"' $CONFIG_FILE"; }

# due NODE: what the node says that it has to change. made NODE: what it changed since the tampering.
due() { judged status --output json | differences due "$1"; }
made() { admin events --output json --limit 500 | differences made "$1" "$(cat "$RUN/last-event")"; }

# none COMMAND...: it succeeds, and prints nothing.
none() { "$@" >"$RUN/none" && test ! -s "$RUN/none"; }

# names_all FILE: a line for each of the three and no other, with the very file, or the key by its name.
names_all() {
  [ "$(wc -l <"$1")" = 3 ] &&
    grep -q "^package r-$R_VERSION: .*1 file changed: changed $R_FILE\b" "$1" &&
    grep -q "^archive quarto $QUARTO_VERSION: 1 file missing: missing $QUARTO_FILE\b" "$1" &&
    grep -q "^file $CONFIG_FILE: HTTP.NoWarning is " "$1"
}
