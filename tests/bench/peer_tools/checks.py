"""What every peer checks: 25 things of this machine that hold, on a PostgreSQL and files made here."""
import hashlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import time
from typing import NamedTuple

PACKAGES = ["bash", "coreutils", "dpkg", "git", "openssl", "python3"]
ACCOUNTS = ["daemon", "www-data", "nobody"]
FILES = 6
FILE_SIZE = 4150


class Check(NamedTuple):
    kind: str
    subject: str
    expected: str


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Certificates:
    """An authority and what it signs, in `directory`: NAME.crt, NAME.key; valid for two days."""

    CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    def __init__(self, processes, directory):
        self.processes, self.directory = processes, directory
        directory.mkdir()
        self.ca = directory / "ca.crt"
        self.openssl("req", "-x509", *self.CURVE, "-keyout", directory / "ca.key", "-out", self.ca, "-days", 2,
                     "-subj", "/CN=bench CA")

    def openssl(self, *arguments):
        self.processes.must_run("openssl", ["openssl", *arguments])

    def issue(self, name):
        key, request, certificate, extensions = (
            self.directory / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
        extensions.write_text(f"subjectAltName=DNS:{name}\n")
        self.openssl("req", *self.CURVE, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.directory / "ca.key",
                     "-CAcreateserial", "-days", 2, "-extfile", extensions, "-out", certificate)
        return certificate, key


class World:
    def __init__(self, processes, directory):
        self.directory = directory
        self.certificates = Certificates(processes, directory / "certificates")
        self.port = free_port()
        self.start_postgres(processes)
        self.files = [self.make_file(number) for number in range(FILES)]
        self.checks = self.make_checks()

    def start_postgres(self, processes):
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=None)
        if programs is None:
            raise SystemExit("error: no PostgreSQL server\nfix:   ./dev deps")
        home = self.directory / "postgres"
        home.mkdir()
        certificate, key = (shutil.copy(file, home) for file in self.certificates.issue("localhost"))
        os.chmod(key, 0o600)
        account = []
        if os.getuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            for path in (home, key):
                os.chown(path, user.pw_uid, user.pw_gid)
            account = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        processes.must_run("initdb", [*account, programs / "initdb", f"--pgdata={home}/data", "--username=connect",
                                      "--auth=scram-sha-256", "--pwfile=/proc/sys/kernel/random/uuid", "--no-sync"])
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "ssl": "on",
                   "ssl_cert_file": certificate, "ssl_key_file": key, "fsync": "off", "shared_buffers": "16MB"}
        processes.start("postgres", [*account, programs / "postgres", "-D", home / "data",
                                     *[word for key, value in options.items() for word in ("-c", f"{key}={value}")]])
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise SystemExit(f"error: PostgreSQL does not answer; see {self.directory}/postgres.log")

    def make_file(self, number):
        path = self.directory / f"checked-{number}.conf"
        path.write_text(f"setting-{number}\n".ljust(FILE_SIZE, "."))
        os.chmod(path, 0o644)
        return path

    def make_checks(self):
        output = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        checks = [Check("package", name, output("dpkg-query", "-W", "-f", "${Version}", name))
                  for name in PACKAGES]
        for path in self.files:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            checks.append(Check("file", str(path), f"{digest} {os.getuid()} {os.getgid()} 644"))
        checks += [Check("account", name, str(pwd.getpwnam(name).pw_uid)) for name in ACCOUNTS]
        mounts = {line.split()[1]: line.split()[3] for line in open("/proc/self/mounts", encoding="utf-8")}
        checks += [Check("mount", target, mounts[target]) for target in ("/proc", "/sys", "/dev")]
        release = [line.strip() for line in open("/etc/os-release", encoding="utf-8") if line.startswith("ID=")]
        memory = open("/proc/meminfo", encoding="utf-8").readline().split()[1]
        checks += [Check("kernel", "release", os.uname().release), Check("system", "/etc/os-release", release[0]),
                   Check("disk", "/", "yes"), Check("memory", "MemTotal", memory),
                   Check("listener", f"0100007F:{self.port:04X}", "yes"), Check("tcp", str(self.port), "yes"),
                   Check("tls", str(self.port), "yes")]
        assert len(checks) == 25
        return checks

    def tls_command(self):
        """Ends with 0 where PostgreSQL presents the certificate that its clients would accept."""
        return (f"openssl s_client -starttls postgres -connect 127.0.0.1:{self.port} -CAfile {self.certificates.ca} "
                "-verify_return_error -verify_hostname localhost </dev/null >/dev/null 2>&1")
