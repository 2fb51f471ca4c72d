# shellcheck shell=bash
# ALB: HAProxy, with a cookie that keeps a session to its node. It asks each agent's gate, as a target group does with
# the settings of the README: /healthz, every 5 s, for 2 s, two failures take a node out, two successes let it in.

IN_ROTATION=30 # seconds: what it takes at the most to notice a gate, (5 + 2) x 2, and as much again for a busy machine

start_balancer() {
  write_balancer_config >"$RUN/haproxy.cfg"
  start_process balancer haproxy -db -f "$RUN/haproxy.cfg"
}

# As an ALB does, it tries no other node when one does not answer, and where no node is healthy it sends to all. Each
# answer says which node it is of, an error of the balancer's too, for those who count.
write_balancer_config() {
  local machine path=/healthz
  has_agents || path=/__ping__
  cat <<CONF
global
  stats socket $RUN/balancer.sock mode 600 level admin
defaults
  mode http
  retries 0
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout check 2s
frontend balancer
  bind 127.0.0.1:$PORT_BALANCER
  default_backend connect
backend connect
  balance roundrobin
  cookie AWSALB insert indirect nocache
  option httpchk
  http-check send meth GET uri $path ver HTTP/1.1 hdr Host 127.0.0.1
  http-check expect status 200
  http-after-response set-header X-Lab-Node %s
  default-server inter 5s fall 2 rise 2
  option allbackups
CONF
  for machine in "${MACHINES[@]}"; do target "$machine"; done
}

# has_agents: where they are not, only Connect can be asked.
has_agents() { [ ! -e "$RUN/no-agent" ]; }

# target MACHINE: its lines. One that is no node yet is no target, either.
target() {
  local address port state=''
  address=127.0.0.1:$(connect_port "$1")
  port=$(if has_agents; then gate_port "$1"; else connect_port "$1"; fi)
  [[ " ${NODES[*]} " == *" $1 "* ]] || state=' disabled'
  echo "  server $1 $address cookie $1 check port $port$state"
  echo "  server $1.any $address backup$state"
}

# tell_balancer COMMAND: at its own socket; prints the answer.
tell_balancer() {
  python3 -c 'import socket, sys
balancer = socket.socket(socket.AF_UNIX)
balancer.connect(sys.argv[1])
balancer.sendall(sys.argv[2].encode() + b"\n")
while answer := balancer.recv(65536): sys.stdout.write(answer.decode())' "$RUN/balancer.sock" "$1"
}

# register MACHINE, deregister MACHINE: as an Auto Scaling group does. A new target is sent nothing before it is healthy.
register() {
  tell_balancer "set server connect/$1 state ready; set server connect/$1 health down" >/dev/null
  tell_balancer "set server connect/$1.any state ready" >/dev/null
}
deregister() {
  tell_balancer "set server connect/$1 state maint" >/dev/null
  tell_balancer "set server connect/$1.any state maint" >/dev/null
}

# in_rotation MACHINE: the balancer takes it for healthy.
in_rotation() {
  tell_balancer 'show stat' >"$RUN/balancer-stat"
  awk -F , -v name="$1" '$1 == "connect" && $2 == name { state = $18 } END { exit (state !~ /^UP/) }' "$RUN/balancer-stat"
}
out_of_rotation() { ! in_rotation "$1"; }
