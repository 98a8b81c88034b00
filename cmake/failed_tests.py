#!/usr/bin/env python3
"""Prints the failed tests of a ctest log, each with the last lines of its output, and those that
needed more than one try.

    failed_tests.py LOG BUILD-DIRECTORY

The output comes from ctest's own LastTest.log, since lines of tests that ran side by side are
mixed in LOG.
"""

import re
import sys

LINES_EACH = 15
TESTS = 8
GOOD = ("Passed", "Skipped")
ENDED = re.compile(r"^ *(?:\d+/\d+ )? *Test +#\d+: (.*?) \.{2,}(?:\*\*\*)? *(\w.*?) +[\d.]+ sec")


def outputs(build):
    """Test number -> its output, of the run that ended last."""
    found = {}
    number = None
    with open(f"{build}/Testing/Temporary/LastTest.log", errors="replace") as log:
        for line in log:
            if start := re.match(r"^(\d+)/\d+ Testing: ", line):
                number = None
            elif start := re.match(r"^\d+/\d+ Test: (.*)$", line):
                found[number := start[1]] = []
            elif number is not None:
                found[number].append(line.rstrip())
    return found


def main():
    log, build = sys.argv[1:]
    with open(log, errors="replace") as lines:
        ended = [(m[1], m[2]) for m in map(ENDED.match, lines) if m]
    tries = {}
    for name, how in ended:
        tries.setdefault(name, []).append(how)
    failed = {name: hows[-1] for name, hows in tries.items() if hows[-1] not in GOOD}
    for name, hows in tries.items():
        if len(hows) > 1 and hows[-1] in GOOD:
            print(f"-- {name} in {build} passed at try {len(hows)} only")
    if not failed:
        return
    found = outputs(build)
    for name, how in list(failed.items())[:TESTS]:
        print(f"-- {name} in {build}: {how}")
        output = found.get(name, [])
        end = next((i for i, line in enumerate(output) if line == "<end of output>"), len(output))
        for line in [line for line in output[:end] if line][-LINES_EACH:]:
            print(f"   {line[:200]}")
    if len(failed) > TESTS:
        print(f"-- and {len(failed) - TESTS} more: {', '.join(list(failed)[TESTS:])}")
    print()


if __name__ == "__main__":
    main()
