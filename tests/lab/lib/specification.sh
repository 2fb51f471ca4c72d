# shellcheck shell=bash
# shellcheck disable=SC2154 # the versions come from the image
# A whole specification, as an operator of a new cluster writes it: what is to be on every node, and where it comes from.

ACCOUNT_ID=977 # of Connect's account, on every node; no package takes it
DRAIN_TIMEOUT=30s # longer than the load balancer needs to notice

# artifact NAME: the url and digest of a file that this lab serves, as cluster.yaml wants them.
artifact() {
  printf '{url: "http://10.0.2.2:%s/packages/%s", sha256: %s}' "$PORT_PACKAGES" "$1" \
    "$(sha256sum "$IMAGE/packages/$1" | cut -d ' ' -f 1)"
}

connect_package() { echo "rstudio-connect_$1~ubuntu22_$(dpkg --print-architecture).deb"; }
r_package() { echo "r-$1_1_$(dpkg --print-architecture).deb"; }
python_package() { echo "python-$1_1_$(dpkg --print-architecture).deb"; }
quarto_archive() { echo "quarto-$1-linux-amd64.tar.gz"; }

# write_whole_spec DIRECTORY ENFORCEMENT [CONNECT_VERSION]: cluster.yaml and the files that it names.
write_whole_spec() {
  local directory=$1 enforcement=$2 connect=${3:-$CONNECT_VERSION}
  mkdir -p "$directory"
  cat >"$directory/cluster.yaml" <<SPEC
cluster: lab
enforcement: $enforcement
platform: {os_id: $OS_ID, os_version: "$OS_VERSION"}
downloads: {allow_http: true}
connect:
  version: $connect
  package: $(artifact "$(connect_package "$connect")")
  config: rstudio-connect.gcfg
  license: {file: connect.lic}
runtimes:
  r:
    - {version: $R_VERSION, package: $(artifact "$(r_package "$R_VERSION")")}
    - {version: $R_OTHER_VERSION, package: $(artifact "$(r_package "$R_OTHER_VERSION")")}
  python:
    - {version: $PYTHON_VERSION, package: $(artifact "$(python_package "$PYTHON_VERSION")")}
  quarto:
    - {version: $QUARTO_VERSION, archive: $(artifact "$(quarto_archive "$QUARTO_VERSION")")}
    - {version: $QUARTO_OTHER_VERSION, archive: $(artifact "$(quarto_archive "$QUARTO_OTHER_VERSION")")}
accounts:
  rstudio-connect: {uid: $ACCOUNT_ID, gid: $ACCOUNT_ID}
storage:
  mount_point: /mnt/connect
  nfs: {server: efs.lab.internal, export: /, port: $PORT_NFS}
  owner: {user: root, group: root, mode: "0755"}
database:
  major_version: $("$(database_tool postgres)" --version | sed 's/.*) \([0-9]*\)\..*/\1/')
secrets:
  db_password: {file: /etc/connect-ha/secrets/db_password}
prove: {storage: true, database: true}
rollout: {drain_timeout: $DRAIN_TIMEOUT}
limits:
  clock_offset: 5s
  database_stage: 10s
SPEC
  cat >"$directory/connect.lic" <<LICENSE
Licence of the Posit Connect stand-in
Expiration: $(date -u -d '+300 days' +%F)
LICENSE
  cat >"$directory/rstudio-connect.gcfg" <<CONFIG
[Server]
Address = "http://127.0.0.1:$PORT_BALANCER"
DataDir = "/mnt/connect/data"
SenderEmail = "connect@lab.internal"

[HTTP]
Listen = ":3939"
NoWarning = true

[Authentication]
Provider = password

[Database]
Provider = postgres

[Postgres]
URL = "postgres://$DATABASE_USER@$DATABASE_NAME:$PORT_DATABASE/connect?sslmode=verify-full&sslrootcert=/etc/ssl/rds/global-bundle.pem"
Password = "\${secret.db_password}"

[Metrics]
DataPath = "/mnt/connect/metrics/\${node.name}"

[Applications]
RunAs = rstudio-connect

[R]
ExecutableScanning = false
Executable = "/opt/R/$R_VERSION/bin/R"
Executable = "/opt/R/$R_OTHER_VERSION/bin/R"

[Python]
Enabled = true
Executable = "/opt/python/$PYTHON_VERSION/bin/python3"

[Quarto]
Enabled = true
Executable = "/opt/quarto/$QUARTO_VERSION/bin/quarto"
Executable = "/opt/quarto/$QUARTO_OTHER_VERSION/bin/quarto"
CONFIG
}

# apply_whole_spec ENFORCEMENT [OPTION...]: writes it, and puts it into force.
apply_whole_spec() {
  write_whole_spec "$RUN/spec" "$1"
  admin apply "$RUN/spec/cluster.yaml" --yes "${@:2}"
}
