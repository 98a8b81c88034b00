#!/usr/bin/env bash
# The cut and lost requests of registry_faults_test.cc with distribution 3, whose uploads go on.
. "$(dirname "$0")/registry_lib.sh"
go_tool registry
faults="$(dirname "$IMGBUILD")/tests/registry_faults/registry_faults_test"
[ -x "$faults" ] || skip "registry_faults_test is not built"
env -u REGISTRY_AUTH_FILE OTEL_TRACES_EXPORTER=none FAULTS=cuts FAULTS_REGISTRY="$GOBIN/registry" "$faults"
