#!/usr/bin/env bash
# V5: both servers answer within 20 s, a killed one is dealt with as its policy says, and stopping is
# quick and clean.
. "$(dirname "$0")/lib.sh"
need curl
example v5-notebook
jupyter=$(free_port) web=$(free_port)
ports=(-p "127.0.0.1:$jupyter:8888" -p "127.0.0.1:$web:5001")

start "${ports[@]}" "$image_id"
api=$(answers "http://127.0.0.1:$jupyter/api" 20)
page=$(answers "http://127.0.0.1:$web/" $((started + 20 - SECONDS)))  # both, from the same start
contains "JupyterLab's API" "$api" version
contains "the page names the environment" "$page" "notebook"
contains "the page links to JupyterLab" "$page" "/lab"
sleep 1
logs=$(podman logs "$container" 2>&1)
token=$(printf '%s' "$logs" | grep -o 'lab?token=[0-9a-f]*' | grep -v '^.*token=$' | head -1 | cut -d= -f2)
[ ${#token} -ge 32 ] || fail "no token in the log: $logs"
equal "how often the token is printed" "$(grep -c "$token" <<<"$logs")" 1
equal "the right token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels?token=$token")" 200
equal "no token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels")" 403

# Both come back by their policies, each without the other.
other=$(service jupyter pid)
comes_back web
answers "http://127.0.0.1:$web/" 20 >/dev/null
equal "JupyterLab's process after the page's was killed" "$(service jupyter pid)" "$other"
comes_back jupyter
answers "http://127.0.0.1:$jupyter/api" 20 >/dev/null
equal "the page's restarts after JupyterLab's" "$(service web restarts)" 1
stops_well 3

# Other policies: one that is never started again stays away, an essential one takes all with it.
as=policies example v5-notebook --set 'services.web.restart="never"' --set 'services.jupyter.restart="never"'
start "${ports[@]}" "$image_id"
answers "http://127.0.0.1:$jupyter/api" 30 >/dev/null
answers "http://127.0.0.1:$web/" 30 >/dev/null
kill_service web
service_becomes web state done 10
sleep 1  # the first wait before a restart is 250 ms
equal "the page that is never restarted" "$(service web state) $(service web restarts) $(service web exit)" "done 0 137"
contains "JupyterLab goes on" "$(answers "http://127.0.0.1:$jupyter/api" 5)" version
kill_service jupyter
equal "the container's status after its essential service" "$(timeout 20 podman wait "$container")" 137
