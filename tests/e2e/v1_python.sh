#!/usr/bin/env bash
# V1: Python 3.11, a shell, certificates, the C.UTF-8 locale, threads of the user 1000.
. "$(dirname "$0")/lib.sh"
example v1-python
run() { podman run --rm --network none $options "$image_id" "$@"; }

for options in "${every_user[@]}"; do
  contains "python3 --version ($options)" "$(run python3 --version)" "Python 3.11"
  equal "shell=True ($options)" "$(run python3 -c 'import subprocess; subprocess.run("echo hi", shell=True)')" "hi"
  equal "encoding ($options)" "$(run python3 -c 'import sys; print(sys.stdout.encoding)')" "utf-8"
  status=0; run python3 -c "raise SystemExit(7)" || status=$?
  equal "exit status ($options)" "$status" 7
  # No command: a shell, which reads what it is given.
  equal "the default command ($options)" \
    "$(podman run --rm -i --network none $options "$image_id" <<<'echo "$0 $BASH_VERSION"' | sed 's, [0-9].*,,')" /bin/bash
done
options=
equal "user" "$(run python3 -c 'import os; print(os.getuid(), os.getgid(), os.getcwd())')" "1000 0 /work"
equal "find_library" "$(run python3 -c 'import ctypes.util; print(ctypes.util.find_library("c"))')" "libc.so.6"
certificates=$(run python3 -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()))')
[ "$certificates" -gt 100 ] || fail "only $certificates CA certificates"
equal "hosts of names" "$(run getent passwd 1000 | cut -d: -f1,3,4)" "user:1000:0"
# dpkg is there, and works: its own check, a package that is configured, and one that goes.
equal "dpkg" "$(podman run --rm --network none --user 0 "$image_id" sh -c '
  dpkg --audit && dpkg --verify && dpkg --configure -a && dpkg -r --force-depends tzdata >/dev/null &&
  dpkg -s tzdata | grep ^Status')" "Status: deinstall ok config-files"
