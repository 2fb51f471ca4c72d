"""Ansible: a playbook of 25 tasks, one for each check, on simulated nodes (local connections); with Mitogen too."""
import json
import os
import re

PACKAGE = "ansible-core"
MITOGEN_PACKAGE = "ansible-mitogen"
MITOGEN = "/usr/lib/python3/dist-packages/ansible/plugins/strategy"

CONFIGURATION = """
[defaults]
home = {home}
inventory = {home}/inventory
local_tmp = {home}/local
remote_tmp = {home}/remote
forks = 20
gathering = explicit
pipelining = True
retry_files_enabled = False
interpreter_python = /usr/bin/python3
{strategy}
"""


def task(check, tls_command):
    """One task, as people write them: a module where Ansible has one, else a command."""
    kind, subject, expected = check
    output = "result.stdout.strip() != expected"
    command = {
        "package": ["dpkg-query", "-W", "-f", "${Version}", subject],
        "account": ["id", "-u", subject],
        "mount": ["findmnt", "--noheadings", "--first-only", "--output", "OPTIONS", "--mountpoint", subject],
        "kernel": ["uname", "-r"],
        "system": ["grep", "^ID=", subject],
    }
    if kind in command:
        body = {"ansible.builtin.command": {"argv": command[kind]}, "failed_when": output}
    elif kind == "file":
        digest, owner, group, mode = expected.split()
        body = {"ansible.builtin.stat": {"path": subject, "checksum_algorithm": "sha256"},
                "failed_when": f"result.stat.checksum != '{digest}' or result.stat.uid != {owner} or "
                               f"result.stat.gid != {group} or result.stat.mode != '0{mode}'"}
    elif kind == "tcp":
        body = {"ansible.builtin.wait_for": {"port": int(subject), "timeout": 2}}
    else:
        body = {"ansible.builtin.shell": {
            "disk": f"test $(df --output=avail {subject} | tail -n 1) -gt 1024 && echo yes",
            "memory": f"awk '/^{subject}:/ {{ print $2 }}' /proc/meminfo",
            "listener": f"grep -q ' {subject} 00000000:0000 0A ' /proc/net/tcp && echo yes",
            "tls": f"{tls_command} && echo yes",
        }[kind], "failed_when": output}
    return {"name": f"{kind} {subject}", "vars": {"expected": expected}, "register": "result",
            "changed_when": False, "ignore_errors": True, **body}


class Ansible:
    def __init__(self, processes, world, nodes, mitogen=False):
        self.processes, self.nodes, self.checks = processes, nodes, len(world.checks)
        self.name = "mitogen" if mitogen else "ansible"
        self.home = world.directory / self.name
        self.home.mkdir()
        strategy = f"strategy_plugins = {MITOGEN}\nstrategy = mitogen_linear" if mitogen else ""
        (self.home / "ansible.cfg").write_text(CONFIGURATION.format(home=self.home, strategy=strategy))
        inventory = "".join(f"node-{number} ansible_connection=local\n" for number in range(nodes))
        (self.home / "inventory").write_text(inventory)
        tasks = [task(check, world.tls_command()) for check in world.checks]
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        self.playbook = self.home / "checks.yml"  # every JSON document is a YAML document
        self.playbook.write_text(json.dumps([play], indent=1))

    def run(self, *options):
        environment = {**os.environ, "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"), "HOME": str(self.home),
                       "LC_ALL": "C.UTF-8"}
        command = ["/usr/bin/ansible-playbook", *options, self.playbook]
        ended = self.processes.must_run(self.name, command, environment)
        recaps = re.findall(r"^node-\d+ +: ok=(\d+) .*?ignored=(\d+)", ended.output, re.M)
        return ended, [(int(ok), int(ignored)) for ok, ignored in recaps]

    def failing(self):
        """How many checks fail on one node."""
        _, [(ok, ignored)] = self.run("--limit", "node-0")
        assert ok == self.checks, ok
        return ignored

    def measure(self):
        ended, recaps = self.run()
        assert recaps == [(self.checks, 0)] * self.nodes, f"{self.name}: not all checks hold: {recaps}"
        return {f"{self.name}_s": ended.wall_s}
