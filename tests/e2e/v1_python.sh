#!/usr/bin/env bash
# V1: Python 3.11, a shell, certificates, the C.UTF-8 locale, threads of the user 1000.
. "$(dirname "$0")/lib.sh"
example v1-python
run() { podman run --rm --network none "$image_id" "$@"; }

contains "python3 --version" "$(run python3 --version)" "Python 3.11"
equal "user" "$(run python3 -c 'import os; print(os.getuid(), os.getgid(), os.getcwd())')" "1000 0 /work"
equal "shell=True" "$(run python3 -c 'import subprocess; subprocess.run("echo hi", shell=True)')" "hi"
equal "find_library" "$(run python3 -c 'import ctypes.util; print(ctypes.util.find_library("c"))')" "libc.so.6"
equal "encoding" "$(run python3 -c 'import sys; print(sys.stdout.encoding)')" "utf-8"
certificates=$(run python3 -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()))')
[ "$certificates" -gt 100 ] || fail "only $certificates CA certificates"
equal "hosts of names" "$(run getent passwd 1000 | cut -d: -f1,3,4)" "user:1000:0"
status=0; run python3 -c "raise SystemExit(7)" || status=$?
equal "exit status" "$status" 7
