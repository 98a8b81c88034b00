#!/usr/bin/env bash
# V2: matplotlib takes the list of fonts that came with the image, as its user, as root, as any other
# and where nothing but /tmp can be written.
. "$(dirname "$0")/lib.sh"
example v2-scientific
takes() {  # the folder it is taken from, options of podman run
  local folder=$1 said
  shift
  said=$(podman run --rm --network none "$@" "$image_id" python -c '
import logging
logging.basicConfig(level=logging.DEBUG)
import matplotlib.font_manager as fonts
assert len(fonts.fontManager.ttflist) > 30 and fonts.findfont("STIXGeneral").endswith("STIXGeneral.ttf")
' 2>&1) || fail "with $*: $said"
  contains "with $*" "$said" "Using fontManager instance from $folder/fontlist-"
}
takes /home/user/.cache/matplotlib --user 1000:0
takes /home/user/.cache/matplotlib --user 12345:0
takes /root/.cache/matplotlib --user 0:0
read_only=(--read-only --read-only-tmpfs=false --tmpfs /tmp)
takes /tmp/home-1000/matplotlib --user 1000:0 "${read_only[@]}"
takes /tmp/home-0/matplotlib --user 0:0 "${read_only[@]}"
