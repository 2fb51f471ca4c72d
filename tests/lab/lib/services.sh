# shellcheck shell=bash
# What a cluster has around its nodes, as processes of this lab on the host's loopback: NFS (for EFS), PostgreSQL
# (for RDS), a time source and a place to fetch packages from. The load balancer is in lib/balancer.sh.

DATABASE_NAME=db.lab.internal
DATABASE_USER=connect

start_services() {
  start_storage
  start_database
  start_time_source
  start_balancer
  start_packages
  wait_for 30 "NFS server" port_open "$PORT_NFS"
  wait_for 30 "database" port_open "$PORT_DATABASE"
  create_database
}

# EFS.
start_storage() { start_file_server storage "$PORT_NFS"; }

# start_file_server NAME PORT [HOW...]: serves $RUN/NAME/export, as EFS would: NFSv4.1, root may chown, any source port.
start_file_server() {
  local name=$1
  mkdir -p "$RUN/$name/recovery"
  "${AS_ROOT[@]}" install -d -o root -g root -m 0755 "$RUN/$name/export"
  write_file_server_config "$@"
  "${AS_ROOT[@]}" rm -f "$RUN/$name/ganesha.pid"
  start_process "$name" "${AS_ROOT[@]}" ganesha.nfsd -F -f "$RUN/$name/ganesha.conf" -p "$RUN/$name/ganesha.pid" \
    -L "$RUN/log/$name.log" -N NIV_EVENT
}

# write_file_server_config NAME PORT [HOW...]: HOW is what is not as it should be, see lib/storage_faults.sh.
write_file_server_config() {
  local name=$1 port=$2 access=RW squash=No_Root_Squash anonymous=-2 export_id=1 how
  shift 2
  for how in "$@"; do
    case $how in
      read-only) access=RO ;;
      root-squash) squash=Root_Squash ;;
      one-identity) squash=All_Squash anonymous=4242 ;;
      other-handles) export_id=2 ;; # a handle names the export that it is of
      *) die "a file server cannot be \"$how\"" "see write_file_server_config" ;;
    esac
  done
  cat >"$RUN/$name/ganesha.conf" <<CONF
NFS_Core_Param {
  Bind_addr = 127.0.0.1;
  NFS_Port = $port;
  NFS_Protocols = 4;
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = false;
}
NFS_KRB5 { Active_krb5 = false; }
NFSv4 {
  Minor_Versions = 1;
  Graceless = true;
  Allow_Numeric_Owners = true;
  Only_Numeric_Owners = true;
  RecoveryRoot = "$RUN/$name/recovery";
}
EXPORT {
  Export_Id = $export_id;
  Path = "$RUN/$name/export";
  Pseudo = "/";
  Protocols = 4;
  Transports = TCP;
  Access_Type = $access;
  Squash = $squash;
  Anonymous_uid = $anonymous;
  Anonymous_gid = $anonymous;
  SecType = sys;
  PrivilegedPort = false;
  FSAL { Name = VFS; }
}
CONF
}

# signal_storage SIGNAL: to the server itself; what was started may be a sudo, which keeps STOP and CONT to itself.
signal_storage() { signal_file_server storage "$1"; }

# signal_file_server NAME SIGNAL
signal_file_server() {
  local pid
  process_alive "$1" || return 0
  pid=$("${AS_ROOT[@]}" cat "$RUN/$1/ganesha.pid" 2>/dev/null) || return 0 # it is not up yet
  "${AS_ROOT[@]}" kill "-$2" "$pid" 2>/dev/null || ! process_alive "$1"
}

database_tool() { find /usr/lib/postgresql/*/bin -name "$1" | sort -V | tail -n 1; }

# RDS: TLS only, scram, a certificate of a private authority for a name.
start_database() {
  local data=$RUN/database/data
  mkdir -p "$RUN/database"
  [ "$(id -u)" != 0 ] || chown postgres:postgres "$RUN/database"
  make_database_authority
  make_database_certificate "$DATABASE_NAME" 30
  (cd / && "${AS_DATABASE[@]}" "$(database_tool initdb)" -D "$data" -A peer -U postgres --encoding=UTF8 --locale=C \
    --no-sync >"$RUN/log/initdb.log" 2>&1)
  "${AS_DATABASE[@]}" tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $PORT_DATABASE
unix_socket_directories = '$RUN/database'
ssl = on
ssl_cert_file = '$RUN/database/server.crt'
ssl_key_file = '$RUN/database/server.key'
ssl_ca_file = '$RUN/database/ca.crt'
fsync = off
shared_buffers = 16MB
CONF
  "${AS_DATABASE[@]}" tee "$data/pg_hba.conf" >/dev/null <<CONF
local   all         all           trust
local   replication all           trust
hostssl all         all 0.0.0.0/0 scram-sha-256
CONF
  echo "$data" >"$RUN/database-in-use"
  start_process database "${AS_DATABASE[@]}" "$(database_tool postgres)" -D "$data"
}

make_database_authority() {
  as_database "umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=lab RDS CA' \
      -keyout ca.key -out ca.crt
    openssl ecparam -genkey -name prime256v1 -noout -out server.key
    chmod 0644 ca.crt
    chmod 0755 ."
}

# make_database_certificate NAME DAYS: of the server's key, by the authority.
make_database_certificate() {
  as_database "umask 077
    openssl req -new -key server.key -subj '/CN=$1' -out server.csr
    echo 'subjectAltName=DNS:$1' >server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $2 -extfile server.ext -out server.crt"
}

# as_database SCRIPT: where the database's files are, by its account.
as_database() { "${AS_DATABASE[@]}" sh -euc "cd '$RUN/database' && $1" >>"$RUN/log/database-certificate.log" 2>&1; }

# database [NAME]: the SQL on standard input, as the superuser, over the socket.
database() { "$(database_tool psql)" -qAt -h "$RUN/database" -p "$PORT_DATABASE" -U postgres -d "${1:-postgres}" -v ON_ERROR_STOP=1; }

create_database() {
  (umask 077 && openssl rand -hex 16 >"$RUN/database-password")
  wait_for 30 "database" eval "database </dev/null && echo 'SELECT 1' | database"
  database <<SQL
CREATE ROLE $DATABASE_USER LOGIN PASSWORD '$(cat "$RUN/database-password")';
CREATE DATABASE connect OWNER $DATABASE_USER;
SQL
}

# The nodes' time source: serves the host's clock, and leaves it alone.
start_time_source() {
  cat >"$RUN/chrony.conf" <<CONF
port $PORT_TIME
bindaddress 127.0.0.1
allow 127.0.0.1
local stratum 2
cmdport 0
bindcmdaddress /
pidfile $RUN/chrony.pid
CONF
  start_process time chronyd -d -x -U -u "$(id -un)" -f "$RUN/chrony.conf"
}

start_packages() {
  mkdir -p "$RUN/served"
  ln -sfn "$IMAGE/packages" "$RUN/served/packages"
  start_process packages python3 -m http.server --bind 127.0.0.1 --directory "$RUN/served" "$PORT_PACKAGES"
}
