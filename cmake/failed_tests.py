#!/usr/bin/env python3
"""Prints the failed tests of a ctest log, each with the last lines of its output.

    failed_tests.py LOG BUILD-DIRECTORY

The output comes from ctest's own LastTest.log, since lines of tests that ran side by side are
mixed in LOG.
"""

import re
import sys

LINES_EACH = 15
TESTS = 8
FAILED = re.compile(r"^ *\d+/\d+ Test +#(\d+): (.*?) \.*\*\*\*(?!Skipped)(\w.*?) +[\d.]+ sec")


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
        failed = {m[2]: m[3] for m in map(FAILED.match, lines) if m}
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
