# shellcheck shell=bash
# Calls of the coordinator without its clients, as someone would make them who should not.

# message TYPE < TEXT: a gRPC message, framed, of a message in protobuf's text format.
message() {
  protoc -I "$LAB_REPO/proto" -I /usr/include --encode="connect_ha.v1.$1" \
    "$LAB_REPO"/proto/connect_ha/v1/*_service.proto | frame
}

# frame: puts gRPC's prefix (not compressed, length) before what stands on standard input.
frame() { python3 -c 'import sys; b = sys.stdin.buffer.read(); sys.stdout.buffer.write(b"\0" + len(b).to_bytes(4, "big") + b)'; }

# grpc_call METHOD BODY_FILE [CURL_OPTION...]: prints "STATUS MESSAGE"; 0 is gRPC's OK. Fails when there is no status,
# with curl's words. $GRPC_PORT is the port, when it is not that of nodes and admins.
grpc_call() {
  local method=$1 body=$2 headers=$RUN/grpc-headers port=${GRPC_PORT:-$PORT_COORDINATOR} answered
  shift 2
  # For a method that it does not have, gRPC ends one stream in ten before its answer: curl's error 92, and asked again.
  for _ in 1 2 3 4 5 6 7 8; do
    answered=0
    curl -sS --http2 -m 20 -D "$headers" -o /dev/null --cacert "$RUN/coordinator/ca/ca.crt" \
      --resolve "coordinator.lab.internal:$port:127.0.0.1" \
      -H 'content-type: application/grpc' -H 'te: trailers' --data-binary "@$body" "$@" \
      "https://coordinator.lab.internal:$port/connect_ha.v1.$method" >"$RUN/curl-said" 2>&1 || answered=$?
    [ "$answered" = 92 ] || break
  done
  [ "$answered" = 0 ] || { cat "$RUN/curl-said"; return 1; }
  tr -d '\r' <"$headers" | sed -n -e 's/^grpc-status: //p' -e 's/^grpc-message: //p' | paste -s -d ' ' |
    python3 -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.stdin.read().strip()).replace("\n", "; "))'
}

# grpc_refused WHAT STATUS METHOD BODY_FILE [CURL_OPTION...]
grpc_refused() {
  local what=$1 status=$2 answer
  shift 2
  answer=$(grpc_call "$@") || { printf '%s: no answer: %s\n' "$what" "$answer" >&2 && exit 1; }
  if [ "${answer%% *}" != "$status" ]; then
    printf 'expected status %s: %s\ngot: %s\n' "$status" "$what" "$answer" >&2
    exit 1
  fi
  printf '  refused: %s: %s\n' "$what" "$answer"
}

# logged PATTERN: the coordinator has said so in its log.
logged() { expect "the coordinator's log has a line with \"$1\"" grep -qE -- "$1" "$RUN/log/coordinator.log"; }
