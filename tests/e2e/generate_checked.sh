#!/usr/bin/env bash
# What `imgbuild generate` writes is valid for those whose it is: podman's unit generator and systemd,
# Docker Compose, the schemas of Kubernetes, the reader of development containers. Those
# that refuse anything are seen to do so.
. "$(dirname "$0")/lib.sh"
need python3 dpkg-deb apt-get systemd-analyze
cat >spec.toml <<'SPEC'
[image]
name = "team/all"
user = "0"
[python]
version = "3.11"
[services.db]
command = ["/opt/db", "--data", "/var/lib/db"]
user = "postgres"
port = 5432
ready = { tcp = true }
volumes = ["/var/lib/db"]
secrets = { DB_PASSWORD = "db" }
[services.lab]
command = ["/opt/lab"]
port = 8888
token = "LAB_TOKEN"
stop-timeout = "60s"
SPEC
for format in quadlet compose kubernetes devcontainer; do
  "$IMGBUILD" generate $format --engine podman -o $format.out -q
done
# The home of a user that has a name alone, whoever asks for the file.
sed '/^user = /d; s/^name = .*/&\nuser = "worker"/' spec.toml >named.toml
contains "the home of a user with a name" "$("$IMGBUILD" generate kubernetes named.toml -q)" "mountPath: /home/user"

tools="$E2E_ROOT/tools" && mkdir -p "$tools"
unseen=()

# podman 4.4 and later have the generator; Debian's next release has such a podman, and of that the
# generator runs here.
find_quadlet() {
  quadlet=/usr/libexec/podman/quadlet
  [ -x $quadlet ] && return
  quadlet="$tools/podman/usr/libexec/podman/quadlet"
  [ -x "$quadlet" ] && return
  local mirror folder="$tools/apt"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -v security)
  mkdir -p "$folder"/{lists,cache/archives}/partial && : >"$folder/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$folder/sources.list"
  local options=(-qq -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State=$folder" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder/cache"
    -o "APT::Sandbox::User=$(id -un)")
  (cd "$folder" && apt-get "${options[@]}" update && apt-get "${options[@]}" download podman &&
    dpkg-deb -x podman_*.deb "$tools/podman") && [ -x "$quadlet" ]
}
dry_run() { QUADLET_UNIT_DIRS="$PWD/$1" "$quadlet" -dryrun; }

if find_quadlet; then
  mkdir units bad made
  cp quadlet.out units/imgbuild-team-all.container
  dry_run units >unit.log 2>&1 || fail "quadlet: $(cat unit.log)"
  sed -n '/^---imgbuild-team-all.service---$/,/^---/p' unit.log | grep -v '^---' >made/imgbuild-team-all.service
  contains "the unit" "$(cat made/*)" "--secret imgbuild-team-all-DB_PASSWORD,type=env,target=DB_PASSWORD"
  contains "the unit" "$(cat made/*)" "--health-cmd"
  said=$(systemd-analyze verify --man=no --recursive-errors=no "$PWD/made/imgbuild-team-all.service" 2>&1 || true)
  equal "what systemd says" "$(grep imgbuild-team-all <<<"$said" || true)" ""
  sed 's/^HealthCmd=/HealthComand=/' quadlet.out >bad/bad.container
  ! dry_run bad >/dev/null 2>&1 || fail "quadlet takes everything"
else
  unseen+=("quadlet: no podman of Debian's next release")
fi

if command -v docker-compose >/dev/null; then
  cp compose.out compose.yaml
  DB_PASSWORD=x docker-compose -f compose.yaml config >config.log || fail "docker-compose"
  contains "the configuration" "$(cat config.log)" "DB_PASSWORD: x"
  status=0; docker-compose -f compose.yaml config -q >none.log 2>&1 || status=$?
  [ "$status" != 0 ] || fail "a secret that is missing goes unsaid"
  contains "what is said of a missing secret" "$(cat none.log)" "DB_PASSWORD"
else
  unseen+=("compose: no docker-compose")
fi

kubernetes="$tools/kubernetes"
[ -x "$kubernetes/bin/kubernetes-validate" ] ||
  (rm -rf "$kubernetes" && python3 -m venv "$kubernetes" && "$kubernetes/bin/pip" -q install kubernetes-validate) || true
if [ -x "$kubernetes/bin/kubernetes-validate" ]; then
  check() { "$kubernetes/bin/kubernetes-validate" --strict "$1" >kubernetes.log 2>&1; }
  check kubernetes.out || fail "kubernetes: $(cat kubernetes.log)"
  sed 's/secretKeyRef/secretKeyref/' kubernetes.out >bad.yaml
  ! check bad.yaml || fail "the schemas of Kubernetes take everything"
else
  unseen+=("kubernetes: kubernetes-validate cannot be installed")
fi

reader="$tools/devcontainers/node_modules/.bin/devcontainer"
if command -v npm >/dev/null && [ ! -x "$reader" ]; then
  npm install --silent --prefix "$tools/devcontainers" @devcontainers/cli >/dev/null 2>&1 || true
fi
if [ -x "$reader" ]; then
  mkdir .devcontainer
  read_it() { "$reader" read-configuration --workspace-folder . --docker-path podman 2>/dev/null; }
  cp devcontainer.out .devcontainer/devcontainer.json
  read_it >read.json || fail "the reader of development containers"
  python3 - <<'PYTHON'
import json
value = json.load(open("read.json"))
read, workspace = value["configuration"], value["workspace"]
assert read["image"] == "localhost/team/all:latest", read
assert read["forwardPorts"] == [5432, 8888] and read["overrideCommand"] is False, read
assert read["runArgs"][-1].startswith("--health-cmd=["), read
assert workspace["workspaceFolder"] == "/work", workspace
PYTHON
else
  unseen+=("devcontainer: @devcontainers/cli cannot be installed")
fi

[ ${#unseen[@]} = 0 ] || skip "not seen: $(printf '%s; ' "${unseen[@]}")"
