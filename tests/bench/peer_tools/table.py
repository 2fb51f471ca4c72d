"""The table: which figure stands beside which, and in what the comparison is unfair."""
import textwrap
from typing import NamedTuple


class Row(NamedTuple):
    what: str
    unit: str
    ours: str  # name of a figure
    peer: str
    peer_name: str
    aim: str
    differs: str


# By the measurement that has the figures.
ROWS = {
    "pass": [
        Row("full warm pass of all facts, wall", "ms", "pass_wall_ms", "cfengine_wall_ms", "CFEngine", "<= 20 ms",
            "ours is a pass of the resident agent; CFEngine has none: a process for each pass, the policy parsed anew. "
            "Ours also logs in to PostgreSQL and asks it; CFEngine ends after the TLS handshake"),
        Row("full warm pass of all facts, processor", "ms", "pass_processor_ms", "cfengine_cpu_ms", "CFEngine",
            "<= 5 ms", "as above; PostgreSQL's own share is in neither"),
    ],
    "agent": [
        Row("one-shot check, wall", "ms", "one_shot_ms", "cfengine_wall_ms", "CFEngine", "<= 60 ms",
            "both start, check and end; connect-ha-agent check judges its rules, with no database configured, "
            "CFEngine the 25 checks with TLS to PostgreSQL"),
        Row("agent at rest, processor", "% of a core", "idle_percent", "icinga_percent", "Icinga 2", "<= 0.05 %",
            "ours: a heartbeat per 5 s, events, polls at their own pace, a login to PostgreSQL per 30 s. Icinga: 25 "
            "checks per 10 s on the master's command, a shell each; plugins in C would cost less"),
        Row("agent at rest, RSS", "MiB", "idle_rss_mib", "icinga_rss_mib", "Icinga 2", "<= 24 MiB",
            "the sum over processes: Icinga's agent has three, which share pages"),
        Row("agent at rest, PSS", "MiB", "idle_pss_mib", "icinga_pss_mib", "Icinga 2", "",
            "shared pages divided among the processes that map them: by our coordinator and by Icinga's master too, "
            "which run beside the agent here and would not on a node"),
        Row("drift of a file -> at the centre", "ms", "drift_ms", "icinga_drift_ms", "Icinga 2", "p50 <= 50 ms",
            "ours is an event and counts once it is fsynced at the coordinator; Icinga polls every 10 s (packaged "
            "default: a minute) and counts once its master's API shows it, in memory"),
    ],
    "start": [
        Row("start to serving, {coordinator_nodes} nodes", "s", "start_seconds", "icinga_start_seconds", "Icinga 2",
            "<= 1 s", "ours reads a report of 4 KB for each node from SQLite; Icinga its configuration (made by two "
            "loops) and a state file with a result for each of 25 services of each host"),
        Row("memory of the centre for each node", "KB", "memory_per_node_kb", "icinga_kb_per_node", "Icinga 2",
            "<= 160 KB", "ours is resident memory with an open mTLS connection and its stream for each of "
            "{connections} nodes; Icinga's is PSS of 25 services with a result each, with no connection counted"),
    ],
    "refresh": [
        Row("a fresh answer from {refreshed_nodes} nodes", "s", "refresh_s", "ansible_s", "Ansible", "<= 0.5 s",
            "both simulate the nodes on this machine, but ours gather in no time (see the last row), while Ansible "
            "runs 25 tasks for each here (forks 20, pipelining, no facts, local connections)"),
        Row("a fresh answer from {refreshed_nodes} nodes", "s", "refresh_s", "mitogen_s", "Mitogen", "<= 0.5 s",
            "as above, the same playbook with Mitogen's strategy"),
        Row("  with a pass for each node (derived)", "s", "refresh_with_passes_s", "mitogen_s", "Mitogen", "<= 0.5 s",
            "ours plus the wall time of a full warm pass for each node, as many at once as there are cores: what it "
            "would take if the nodes shared this machine, as Ansible's do"),
    ],
}


def figure(value):
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def print_row(row, figures, sizes):
    ours, peer = figures[row.ours], figures[row.peer]
    print(f"{row.what.format(**sizes._asdict()):<40} {figure(ours) + ' ' + row.unit:<18} "
          f"{figure(peer) + ' ' + row.unit + ' ' + row.peer_name:<28} {figure(peer / ours) + 'x':<10} {row.aim}")
    print(textwrap.fill(row.differs.format(**sizes._asdict()), 110, initial_indent="    ", subsequent_indent="    "))


def show(measured, sizes):
    if not measured:
        return
    print(f"\n{'measurement':<40} {'ours':<18} {'peer':<28} {'peer/ours':<10} aim")
    for measurement, figures in measured.items():
        for row in ROWS[measurement]:
            print_row(row, figures, sizes)
