#!/usr/bin/env bash
# Credential helpers (docker-credential-NAME), for one registry or for all: a login gives them the
# secret and leaves it in no file, pushes ask them for it, and a logout has them forget it.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry htpasswd
image_of app 1000 300000
port=$(free_port)
htpasswd -Bbn ann hunter2 >users
registry store "$port" "" "" "auth: {htpasswd: {realm: mini, path: $WORK/users}}"
there="127.0.0.1:$port"

# Keeps what it gets in files, named after servers, and answers from them (docker-credential-helpers).
mkdir bin keys
cat >bin/docker-credential-keys <<'PYTHON'
#!/usr/bin/env python3
import json, os, pathlib, sys, urllib.parse
given = sys.stdin.read()
server = json.loads(given)["ServerURL"] if sys.argv[1] == "store" else given.strip()
file = pathlib.Path(os.environ["KEYS"]) / urllib.parse.quote(server, safe="")
if sys.argv[1] == "store":
    file.write_text(given)
elif not file.exists():
    print("credentials not found in native keychain")
    sys.exit(1)
elif sys.argv[1] == "get":
    print(file.read_text())
elif sys.argv[1] == "erase":
    file.unlink()
PYTHON
chmod +x bin/docker-credential-keys
export PATH="$WORK/bin:$PATH" KEYS="$WORK/keys"

for config in "{\"credHelpers\": {\"$there\": \"keys\"}}" '{"credsStore": "keys"}'; do
  echo "$config" >auth.json
  echo hunter2 | "$IMGBUILD" login "$there" -u ann --password-stdin --insecure >out
  case "$(cat out auth.json)" in *hunter2* | *"$(printf ann:hunter2 | base64)"*) fail "a secret in the file, or said: $(cat out auth.json)" ;; esac
  contains "where it says that it is kept" "$(cat out)" docker-credential-keys
  contains "what the helper got" "$(cat keys/*)" '"hunter2"'
  contains "the rest of the file" "$(cat auth.json)" '"keys"'
  "$IMGBUILD" push -q oci:app.oci "$there/team/app:x" --insecure
  equal "what was pushed" "$(digest_at "$there/team/app:x" -u ann:hunter2)" "$digest"
  "$IMGBUILD" logout "$there" >out
  equal "what is left in the helper" "$(ls keys)" ""
  refused 1 "imgbuild login $there" -- "$IMGBUILD" push oci:app.oci "$there/team/app:y" --insecure
done
