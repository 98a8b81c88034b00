#!/usr/bin/env bash
# The supervisor of arm64 images lives through what that of this machine does, run by qemu.
set -euo pipefail
: "${RUNTIME_TEST:?the tests}" "${IMGBUILD_INIT:?the program under test}"
IMGBUILD_INIT_RUNNER=$(command -v qemu-aarch64-static) || {
  echo "SKIPPED: qemu-aarch64-static is not installed" >&2
  exit 77
}
export IMGBUILD_INIT_RUNNER
# Those that need neither a namespace nor a user who could not read the program.
exec "$RUNTIME_TEST" --gtest_filter='Life.*:Control.*:Reload.*:Log.*:Supervisor.Stops*:Supervisor.Kills*'
