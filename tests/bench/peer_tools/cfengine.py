"""CFEngine: one run of cf-agent over a policy of 25 checks, as far as possible by its own functions."""
import re
import statistics

PACKAGE = "cfengine3"
POLICY = """
body common control {{ bundlesequence => {{ "main" }}; }}
bundle agent main
{{
  vars:
    "hosts" slist => {{ "127.0.0.1" }};
    "answering" int => selectservers("@(hosts)", "{port}", "", "", "100", "answered");
  classes:
{classes}
  reports:
{reports}
}}
"""


def expression(check, tls_command):
    kind, subject, expected = check
    if kind == "file":
        digest, owner, group, mode = expected.split()
        return (f'and(strcmp(file_hash("{subject}", "sha256"), "{digest}"), '
                f'strcmp(filestat("{subject}", "uid"), "{owner}"), strcmp(filestat("{subject}", "gid"), "{group}"), '
                f'strcmp(filestat("{subject}", "modeoct"), "100{mode}"))')
    quoted = re.escape(expected).replace("\\", "\\\\").replace('"', '\\"')
    return {
        "package": f'regcmp(".*\\s{quoted}", execresult("/usr/bin/dpkg-query -W {subject}", "noshell"))',
        "account": f'strcmp(getuid("{subject}"), "{expected}")',
        "mount": f'regline("\\S+ {subject} \\S+ {quoted} .*", "/proc/self/mounts")',
        "kernel": f'strcmp("$(sys.release)", "{expected}")',
        "system": f'regline("{quoted}", "{subject}")',
        "disk": f'isgreaterthan(diskfree("{subject}"), "1024")',
        "memory": f'regline("{subject}:\\s+{expected} kB", "/proc/meminfo")',
        "listener": f'regline(".* {subject} 00000000:0000 0A .*", "/proc/net/tcp")',
        "tcp": 'isgreaterthan("$(answering)", "0")',
        "tls": f'returnszero("/bin/sh -c \'{tls_command}\'", "noshell")',
    }[kind]


class Cfengine:
    def __init__(self, processes, world):
        self.processes, self.world = processes, world
        self.home = world.directory / "cfengine"
        (self.home / "inputs").mkdir(parents=True, mode=0o700)
        (self.home / "bin").symlink_to("/usr/bin")
        self.policy = self.home / "func.cf"
        classes = [f'    "c{number}" expression => {expression(check, world.tls_command())};'
                   for number, check in enumerate(world.checks)]
        reports = [f'    {sign}c{number}:: "{word} {number}";'
                   for number in range(len(world.checks)) for sign, word in (("", "holds"), ("!", "fails"))]
        self.policy.write_text(
            POLICY.format(port=world.port, classes="\n".join(classes), reports="\n".join(reports)))
        self.policy.chmod(0o600)

    def run(self):
        ended = self.processes.must_run("cf-agent", ["cf-agent", "-w", self.home, "-KI", "-n", "-f", self.policy])
        found = [re.findall(rf"promise: {word} (\d+)", ended.output) for word in ("holds", "fails")]
        return ended, *found

    def failing(self):
        """The kinds of the checks that it says fail."""
        _, holds, fails = self.run()
        assert len(holds) + len(fails) == len(self.world.checks), (holds, fails)
        return [self.world.checks[int(number)].kind for number in fails]

    def measure(self, runs):
        """Milliseconds of wall and processor time of a run, medians."""
        ended = [self.run()[0] for _ in range(runs)]
        return {"cfengine_wall_ms": statistics.median(e.wall_s for e in ended) * 1000,
                "cfengine_cpu_ms": statistics.median(e.cpu_s for e in ended) * 1000}
