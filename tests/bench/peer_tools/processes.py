"""Starts processes, measures them, and ends every one of them, by pid, whatever happens."""
import os
import pathlib
import re
import signal
import subprocess
import time
from typing import NamedTuple


class Ended(NamedTuple):
    status: int
    output: str  # standard output and error
    wall_s: float
    cpu_s: float  # with the children it waited for


class Processes:
    """Each process leads a session of its own, so that its children can be ended with it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.running = {}

    def start(self, name, command, env=None):
        """Runs on until stop() or close(); its output goes to NAME.log."""
        with open(self.directory / f"{name}.log", "ab") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=env, start_new_session=True)
        self.running[process.pid] = process
        return process

    def run(self, name, command, env=None):
        """Runs to its end, whatever that is."""
        log = self.directory / f"{name}.log"
        log.unlink(missing_ok=True)
        began = time.monotonic()
        process = self.start(name, command, env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        del self.running[process.pid]
        return Ended(process.returncode, log.read_text(errors="replace"), wall, usage.ru_utime + usage.ru_stime)

    def must_run(self, name, command, env=None):
        ended = self.run(name, command, env)
        if ended.status != 0:
            raise SystemExit(f"error: {' '.join(map(str, command))} ended with {ended.status}:\n{ended.output[-3000:]}")
        return ended

    def stop(self, process, first=signal.SIGTERM, seconds=30):
        """Asks it, then kills what is left of its session. How it ended."""
        process.send_signal(first)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in session_members(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended meanwhile
        del self.running[process.pid]
        return process.returncode

    def close(self):
        for process in reversed(list(self.running.values())):
            self.stop(process, signal.SIGINT, 10)


def stat_fields(pid):
    """From the third on: state, ppid, pgrp, session, ..."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def session_members(leader):
    members = []
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        try:
            if int(stat_fields(pid)[3]) == leader and pid != leader:
                members.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended meanwhile
    return members


def cpu_seconds(leader):
    """Of a session, with the children that its processes waited for."""
    ticks = 0
    for pid in [leader, *session_members(leader)]:
        ticks += sum(int(field) for field in stat_fields(pid)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(leader):
    """Resident and proportional memory of a session."""
    total = {"Rss": 0, "Pss": 0}
    for pid in [leader, *session_members(leader)]:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        for key in total:
            total[key] += int(re.search(rf"^{key}:\s+(\d+)", rollup, re.M)[1]) / 1024
    return total["Rss"], total["Pss"]
