# shellcheck shell=bash
# The coordinator, on the host, from the build tree.
