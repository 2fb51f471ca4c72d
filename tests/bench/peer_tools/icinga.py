"""Icinga 2: a master, one agent that it asks for 25 checks every 10 s, and a master of thousands of hosts."""
import base64
import contextlib
import grp
import http.client
import json
import os
import pathlib
import pwd
import random
import shutil
import ssl
import statistics
import tempfile
import time

from peer_tools import checks, processes as measuring

PACKAGE = "icinga2-bin"
PLUGIN = pathlib.Path(__file__).parent / "icinga_check"
DIRECTORIES = ["ConfigDir", "DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir"]
SERVICES = 25

NODE = """
const NodeName = "{name}"
object Endpoint "master" {{ host = "127.0.0.1"; port = "{master_port}" }}
object Zone "master" {{ endpoints = [ "master" ] }}
object Endpoint "agent" {{ }}
object Zone "agent" {{ endpoints = [ "agent" ]; parent = "master" }}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {port}; accept_commands = true }}
object CheckerComponent "checker" {{ }}
object CheckCommand "bench" {{ command = [ "{plugin}", "$kind$", "$subject$", "$expected$" ] }}
"""
MASTER = """
object ApiUser "bench" {{ password = "bench"; permissions = [ "*" ] }}
"""
CHECKED_HOST = """
object Host "agent" {{ zone = "master"; check_command = "bench"; enable_active_checks = false }}
"""
CHECKED_SERVICE = """
object Service "check-{number}" {{
  zone = "master"; host_name = "agent"; check_command = "bench"; command_endpoint = "agent"
  check_interval = 10s; retry_interval = 10s; max_check_attempts = 1
  vars.kind = {kind}; vars.subject = {subject}; vars.expected = {expected}
}}
"""
# Half the processor time of the same by `apply Service`.
MANY_HOSTS = """
for (n in range({hosts})) {{
  object Host "node-" + n {{ check_command = "bench"; enable_active_checks = false }}
  for (s in range({services})) {{
    object Service "check-" + s use (n) {{
      host_name = "node-" + n; check_command = "bench"; enable_active_checks = false
    }}
  }}
}}
"""


class Daemon:
    """One icinga2, in a directory of its own."""

    def __init__(self, processes, directory, certificates, name, configuration, master_port=None):
        self.processes, self.name, self.home, self.ca = processes, name, directory, certificates.ca
        self.port = checks.free_port()
        for part in DIRECTORIES:
            (directory / part).mkdir(parents=True)
        store = directory / "DataDir" / "certs"
        store.mkdir()
        for file in (certificates.ca, *certificates.issue(name)):
            shutil.copy(file, store)
        self.file = directory / "icinga2.conf"
        node = NODE.format(name=name, port=self.port, master_port=master_port or self.port, plugin=PLUGIN)
        self.file.write_text(node + configuration)
        self.process = None

    def start(self):
        defines = {"Configuration.RunAsUser": pwd.getpwuid(os.getuid()).pw_name,
                   "Configuration.RunAsGroup": grp.getgrgid(os.getgid()).gr_name,
                   **{part: self.home / part for part in DIRECTORIES}}
        options = [word for key, value in defines.items() for word in ("-D", f"{key}={value}")]
        command = ["/usr/sbin/icinga2", "daemon", "-c", self.file, *options]
        self.process = self.processes.start(self.home.name, command)

    def stop(self):
        status = self.processes.stop(self.process, seconds=120)
        if status != 0:
            raise SystemExit(f"error: Icinga: {self.home.name} ended with {status}")

    def ask(self, method, path, body=None):
        """The API's answer, or None where it does not answer yet."""
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=120)
        login = base64.b64encode(b"bench:bench").decode()
        headers = {"Accept": "application/json", "Authorization": f"Basic {login}"}
        with contextlib.closing(connection):
            try:
                connection.request(method, path, json.dumps(body) if body else None, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                return None
        return json.loads(text)["results"] if answer.status == 200 else None

    def wait_until(self, holds, seconds, what):
        limit = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise SystemExit(f"error: Icinga: {what}: not in {seconds} s\n"
                                 + (self.processes.directory / f"{self.home.name}.log").read_text()[-2000:])
            time.sleep(0.02)


class Watched:
    """A master and an agent that runs the 25 checks every 10 s, on its command."""

    def __init__(self, processes, world):
        services = "".join(self.service(number, check, world) for number, check in enumerate(world.checks))
        directory = pathlib.Path(tempfile.mkdtemp(prefix="icinga-", dir=world.directory))
        self.master = Daemon(processes, directory / "icinga-master", world.certificates, "master",
                             MASTER.format() + CHECKED_HOST.format() + services)
        self.agent = Daemon(processes, directory / "icinga-agent", world.certificates, "agent", "", self.master.port)
        self.files = {f"agent!check-{number}": pathlib.Path(check.subject)
                      for number, check in enumerate(world.checks) if check.kind == "file"}
        self.master.start()
        self.agent.start()
        self.wait_until_all_hold()

    @staticmethod
    def service(number, check, world):
        if check.kind == "tls":
            check = check._replace(subject=world.tls_command())
        values = {name: json.dumps(value) for name, value in check._asdict().items()}
        return CHECKED_SERVICE.format(number=number, **values)

    def states(self):
        """0 for OK, 2 for critical, of each service that has had a result."""
        services = self.master.ask("GET", "/v1/objects/services?attrs=state&attrs=last_check_result") or []
        return {service["name"]: service["attrs"]["state"] for service in services
                if service["attrs"]["last_check_result"]}

    def wait_until_all_hold(self):
        self.master.wait_until(lambda: list(self.states().values()) == [0] * SERVICES, 60, "all checks hold")

    def idle(self, seconds):
        pid = self.agent.process.pid
        before = measuring.cpu_seconds(pid)
        time.sleep(seconds)
        percent = (measuring.cpu_seconds(pid) - before) / seconds * 100
        rss, pss = measuring.memory_mib(pid)
        return {"icinga_percent": percent, "icinga_rss_mib": rss, "icinga_pss_mib": pss}

    def drift_once(self):
        """Spoils every checked file at one moment; seconds until the master's API shows each."""
        shown, text = {}, {file: file.read_bytes() for file in self.files.values()}
        began = time.monotonic()
        for file in text:
            file.write_bytes(b"drift\n")
        while len(shown) < len(self.files) and time.monotonic() - began < 40:
            failing = {service for service, state in self.states().items() if state != 0}
            assert failing <= set(self.files), f"Icinga says that other checks fail: {failing}"
            for service in failing:
                shown.setdefault(service, time.monotonic() - began)
            time.sleep(0.02)
        for file, content in text.items():
            file.write_bytes(content)
        assert len(shown) == len(self.files), "Icinga did not notice every file"
        self.wait_until_all_hold()
        return list(shown.values())

    def drift(self, times):
        """Milliseconds, median; at moments that have nothing to do with the interval."""
        taken = []
        for _ in range(times):
            time.sleep(random.uniform(0, 10))
            taken += self.drift_once()
        return {"icinga_drift_ms": statistics.median(taken) * 1000}

    def stop(self):
        self.agent.stop()
        self.master.stop()


class Many:
    """A master with one result for each of 25 services of many hosts; it runs only while it is measured."""

    RESULT = {"type": "Service", "filter": "true", "exit_status": 0,
              "plugin_output": "OK - version 1.2.3-4 as expected"}

    def __init__(self, processes, world, hosts):
        directory = world.directory / f"icinga-{hosts}-hosts"
        self.hosts = hosts
        self.daemon = Daemon(processes, directory, world.certificates, "master",
                             MASTER.format() + MANY_HOSTS.format(hosts=hosts, services=SERVICES))
        self.start("state")
        done = self.daemon.ask("POST", "/v1/actions/process-check-result", self.RESULT)
        assert done is not None and len(done) == hosts * SERVICES, "Icinga did not take the results"
        self.pss_mib = measuring.memory_mib(self.daemon.process.pid)[1]
        self.daemon.stop()

    def start(self, attribute):
        """Seconds from starting the process until the API says something of a service of the last host."""
        began = time.monotonic()
        self.daemon.start()
        path = f"/v1/objects/services/node-{self.hosts - 1}!check-0?attrs={attribute}"

        def known():
            services = self.daemon.ask("GET", path)
            return services and services[0]["attrs"][attribute] is not None

        self.daemon.wait_until(known, 180, f"the API answers with {attribute}")
        return time.monotonic() - began

    def measure_start(self):
        seconds = self.start("last_check_result")
        self.daemon.stop()
        return {"icinga_start_seconds": seconds}
