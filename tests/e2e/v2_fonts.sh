#!/usr/bin/env bash
# V2: matplotlib takes the list of fonts that came with the image, as its user and as any other.
. "$(dirname "$0")/lib.sh"
example v2-scientific
for user in 1000:0 12345:0; do
  said=$(podman run --rm --network none --user "$user" "$image_id" python -c '
import logging
logging.basicConfig(level=logging.DEBUG)
import matplotlib.font_manager as fonts
assert len(fonts.fontManager.ttflist) > 30 and fonts.findfont("STIXGeneral").endswith("STIXGeneral.ttf")
' 2>&1) || fail "as $user: $said"
  contains "as $user" "$said" "Using fontManager instance from /home/user/.cache/matplotlib/fontlist-"
done
