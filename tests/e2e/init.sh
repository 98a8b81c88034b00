#!/usr/bin/env bash
# init writes a spec that is right as it stands, once, and what version control has to pass over.
. "$(dirname "$0")/lib.sh"
mkdir "My Project_2" && cd "My Project_2"
printf 'old' >.gitignore
out=$("$IMGBUILD" init)
contains "what it did" "$out" "wrote spec.toml"
equal "name" "$(grep '^name' spec.toml | head -1)" 'name = "my-project-2"'
equal ".gitignore" "$(tr '\n' ' ' <.gitignore)" "old *.local.toml *.local.lock *.oci/ "
# The spec is read without an error: what is missing is the lock alone.
status=0; out=$("$IMGBUILD" build --locked --offline 2>&1) || status=$?
contains "first build" "$out" "spec.lock"

cp spec.toml before
status=0; out=$("$IMGBUILD" init 2>&1) || status=$?
equal "status over a spec" "$status" 2
contains "over a spec" "$out" "there already"
cmp -s spec.toml before || fail "the spec was changed"
"$IMGBUILD" init other.toml >/dev/null
equal ".gitignore again" "$(wc -l <.gitignore)" 4
