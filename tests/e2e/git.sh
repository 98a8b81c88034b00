#!/usr/bin/env bash
# git takes a repository in the workdir for its user's own, whichever uid it belongs to, and trusts no
# others than it does by itself.
. "$(dirname "$0")/lib.sh"
want_podman=no example v1-python
use_podman
cp "$TOP"/specs/examples/v1-python.toml .
cp "$E2E_ROOT"/images/v1-python.lock with-git.lock  # all but git is made already
cat >with-git.toml <<'SPEC'
extends = "v1-python.toml"
[image]
name = "with-git"
[system]
packages = ["git"]
SPEC
"$IMGBUILD" build with-git.toml -q --no-local -o oci:with-git.oci:test
image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q oci:with-git.oci:test)

mkdir -m 755 repository
run() {  # where the repository is, user, command
  podman run --rm --network none -v "$WORK/repository:$1" --user "$2" "$image_id" "${@:3}"
}
run /work 0:0 sh -c 'git init -q /work && touch /work/new'
for user in 1000:0 12345:0; do
  equal "git status as $user" "$(run /work "$user" git -C /work status --porcelain)" "?? new"
done
status=0; said=$(run /elsewhere 1000:0 git -C /elsewhere status 2>&1) || status=$?
equal "status elsewhere" "$status" 128
contains "what git says elsewhere" "$said" "dubious ownership"
