# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the steps
# What is done to node-2, and how it looks when that is so and when it is mended.

R_FILE=/opt/R/$R_VERSION/lib/R/etc/Renviron
QUARTO_FILE=/opt/quarto/$QUARTO_VERSION/share/version
CONFIG_FILE=/etc/rstudio-connect/rstudio-connect.gcfg

tamper() {
  script_on node-2 <<SCRIPT
echo '# tampered' >>$R_FILE
rm $QUARTO_FILE
sed -i 's/^NoWarning = .*/NoWarning = "false"/' $CONFIG_FILE
SCRIPT
}

is_tampered() { on node-2 "grep -q tampered $R_FILE && ! test -e $QUARTO_FILE && grep -q 'NoWarning = \"false\"' $CONFIG_FILE"; }
is_mended() { on node-2 "! grep -q tampered $R_FILE && test -e $QUARTO_FILE && ! grep -q 'NoWarning = \"false\"' $CONFIG_FILE"; }

# names_all FILE: the three are named, the key by its name.
names_all() {
  grep -q "r-$R_VERSION" "$1" && grep -q "/opt/quarto/$QUARTO_VERSION" "$1" && grep -qi 'HTTP.NoWarning' "$1"
}
