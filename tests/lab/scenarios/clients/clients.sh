# shellcheck shell=bash disable=SC2034 # what is set here is used by the steps
# Where the clients are installed, and the key that they show.

REQUIREMENTS=$LAB_HOME/scenarios/clients/requirements.txt
CLIENTS=$LAB_CACHE/clients-$(cat "$REQUIREMENTS" <(python3 --version) | sha256sum | cut -c 1-16)
URL=http://127.0.0.1:$PORT_BALANCER
KEY_FILE=$RUN/api-key

# client NAME ARGUMENT...: with a home of its own, since clients keep what they learn of a server.
client() {
  local name=$1
  shift
  HOME=$RUN/clients-home NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$CLIENTS/bin/$name" "$@"
}
