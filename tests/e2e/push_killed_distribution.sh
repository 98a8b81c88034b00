#!/usr/bin/env bash
# push_killed.sh with distribution 3, which keeps what it got of a cut upload.
. "$(dirname "$0")/registry_lib.sh"
go_tool registry
E2E_REGISTRY=registry "$TOP/tests/e2e/push_killed.sh"
