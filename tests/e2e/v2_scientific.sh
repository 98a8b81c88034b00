#!/usr/bin/env bash
# V2: the scientific stack imports, computes and draws; JupyterLab is the one of the lock.
. "$(dirname "$0")/lib.sh"
example v2-scientific
run() { podman run --rm --network none $options "$image_id" "$@"; }
locked=$(python3 - "$E2E_ROOT/images/v2-scientific.lock" <<'PYTHON'
import sys, tomllib
packages = tomllib.load(open(sys.argv[1], "rb"))["platform"][0]["package"]
print(*{p["version"] for p in packages if (p["kind"], p["name"]) == ("wheel", "jupyterlab")})
PYTHON
)

for options in "${every_user[@]}"; do
  run python -c '
import jupyterlab, matplotlib, numpy, pandas, scipy.linalg
matplotlib.use("Agg")
import matplotlib.pyplot as plt
assert abs(scipy.linalg.det(numpy.eye(3)) - 1) < 1e-12
assert pandas.DataFrame({"a": [1, 2]}).a.sum() == 3
plt.plot([1, 2]); plt.savefig("/tmp/plot.png")
print("ok")' | grep -qx ok || fail "imports ($options)"
  equal "jupyter lab --version ($options)" "$(run jupyter lab --version)" "$locked"
done
