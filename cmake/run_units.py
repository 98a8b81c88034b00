#!/usr/bin/env python3
"""Runs the unit tests of a build, many in each process, and prints what failed and the totals.

    run_units.py BUILD-DIRECTORY [FAILURES]

ctest starts a process for each test, which under a sanitizer costs more than most tests. Here each
process gets some of a program's tests. Where one dies, its tests are run again, each in a process
of its own, and the death counts as a failure beside theirs. The last line is "N passed, N failed,
N skipped"; FAILURES, a file, gets what is to be read again at the end of a long log. Exits with 1
where a test failed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS_EACH = 16
TIMEOUT = 900  # seconds, of a process
LINES_EACH = 15
SHOWN = 8
FILTER = "--gtest_filter="
DISCOVERED = "--gtest_also_run_disabled_tests"


class Job:
    """Tests that one process runs: entries that ctest has of one program, or a single one of another
    kind."""

    def __init__(self, tests):
        self.tests = tests
        self.program = tests[0]["command"][0]
        properties = {p["name"]: p["value"] for p in tests[0].get("properties", [])}
        self.folder = properties.get("WORKING_DIRECTORY")
        self.environment = dict(entry.split("=", 1) for entry in properties.get("ENVIRONMENT", []))
        self.skip_code = properties.get("SKIP_RETURN_CODE")
        self.filters = {filter_of(test): test["name"] for test in tests}

    def name(self):
        if None in self.filters:
            return self.tests[0]["name"]
        return f"{Path(self.program).name}, {len(self.tests)} tests"


def filter_of(test):
    """Of a test as gtest_discover_tests names them, one test's; others are run as they are."""
    command = test["command"]
    if len(command) == 3 and command[1].startswith(FILTER) and command[2] == DISCOVERED:
        return command[1][len(FILTER):]
    return None


def jobs_of(build):
    listing = subprocess.run(
        ["ctest", "--test-dir", build, "-L", "unit", "--show-only=json-v1"],
        check=True, stdout=subprocess.PIPE).stdout
    programs = {}
    jobs = []
    for test in json.loads(listing)["tests"]:
        if "command" not in test:
            sys.exit(f"{test['name']} has no program in {build}: was it built?")
        if filter_of(test) is None:
            jobs.append(Job([test]))
        else:
            programs.setdefault(test["command"][0], []).append(test)
    for tests in programs.values():
        # What is alike and slow stands together, and is spread.
        count = -(-len(tests) // TESTS_EACH)
        jobs += [Job(tests[i::count]) for i in range(count)]
    # Those of whole programs take longest; they are nearest to the top.
    return sorted(jobs, key=lambda job: len(Path(job.program).parts))


def start(job, command):
    """How a process ended, "" where well, and what it printed."""
    try:
        ended = subprocess.run(
            command, cwd=job.folder, env={**os.environ, **job.environment}, timeout=TIMEOUT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as expired:
        return f"not ended after {TIMEOUT} s", text_of(expired.stdout)
    code = ended.returncode
    if code == job.skip_code:
        return "skipped", text_of(ended.stdout)
    how = "" if code == 0 else f"signal {-code}" if code < 0 else f"exit status {code}"
    return how, text_of(ended.stdout)


def text_of(output):
    return (output or b"").decode(errors="replace")


def run_filters(job, filters):
    """Outcomes by filter, how the process ended and what it printed. A filter is not among the
    outcomes where the process did not tell."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        how, output = start(
            job, [job.program, FILTER + ":".join(filters), f"--gtest_output=json:{report}"])
        outcomes = {}
        if report.exists():
            for suite in json.loads(report.read_text())["testsuites"]:
                for test in suite["testsuite"]:
                    outcome = ("failed" if test.get("failures") else
                               "skipped" if test["result"] == "SKIPPED" else "passed")
                    outcomes[f"{suite['name']}.{test['name']}"] = outcome
    return {f: outcomes[f] for f in filters if f in outcomes}, how, output


def part_of(output, name):
    """What a program printed in one of its tests; all, where the test is not found."""
    begin = output.find(f"[ RUN      ] {name}\n")
    if begin < 0:
        return output
    ends = [output.find(mark, begin + 1) for mark in ("[ RUN      ]", "[----------]")]
    return output[begin:min([end for end in ends if end > 0], default=len(output))]


def run(job):
    """(name, outcome, output) of each test."""
    begin = time.monotonic()
    if None in job.filters:
        how, output = start(job, job.tests[0]["command"])
        outcome = how if how == "skipped" else "failed" if how else "passed"
        results = [(job.tests[0]["name"], outcome, f"{output}\n{how}")]
    else:
        results = run_program(job)
    print(f"{time.monotonic() - begin:7.1f} s  {job.name()}", flush=True)
    for name, outcome, output in results:
        if outcome == "failed":
            print(f"FAILED {name}\n{output}", flush=True)
        elif outcome == "skipped":
            print(f"SKIPPED {name}\n{output}", flush=True)
    return results


def run_program(job):
    filters = list(job.filters)
    outcomes, how, output = run_filters(job, filters)
    results = [(job.filters[f], outcome, part_of(output, f)) for f, outcome in outcomes.items()]
    failed = "failed" in outcomes.values()
    if len(outcomes) == len(filters) and (failed or not how):
        return results
    # It died, or found something at its end. One test alone is what did it.
    left = [f for f in filters if f not in outcomes]
    if len(filters) > 1:
        results.append((f"{job.name()} in one process", "failed", f"{output}\n{how}"))
        return results + [r for f in left for r in run_program(Job(
            [t for t in job.tests if filter_of(t) == f]))]
    return [(job.filters[filters[0]], "failed", f"{output}\n{how or 'told of no such test'}")]


def main():
    build = sys.argv[1]
    # As ctest has it: whoever runs this in the background may have them ignored, and children would.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [result for job in pool.map(run, jobs_of(build)) for result in job]
    failed = [(name, output) for name, outcome, output in results if outcome == "failed"]
    if len(sys.argv) > 2:
        with open(sys.argv[2], "a") as file:
            for name, output in failed[:SHOWN]:
                print(f"-- {name} in {build}", file=file)
                for line in [line for line in output.splitlines() if line][-LINES_EACH:]:
                    print(f"   {line[:200]}", file=file)
            if len(failed) > SHOWN:
                print(f"-- and {len(failed) - SHOWN} more: "
                      f"{', '.join(name for name, _ in failed[SHOWN:])}", file=file)
    counts = [sum(outcome == o for _, o, _ in results) for outcome in ("passed", "failed", "skipped")]
    print(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
