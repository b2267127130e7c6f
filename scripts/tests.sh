#!/bin/sh
# Runs every test: what needs no clock gives way to the nodes, whose tests look at milliseconds.
# With arguments, one pytest with them and nothing else.
cd "$(dirname "$0")/.."
. scripts/environment.sh
export HF_HUB_OFFLINE=1
[ $# -gt 0 ] && exec python -m pytest "$@"
TIMED='test/nodes test/faults test/launch test/test_cli_demo.py test/test_cli_node_processes.py
       test/test_cli_signals.py test/test_cli_supervision.py'
LOG=$(mktemp)
trap 'kill $OTHERS 2>/dev/null; rm -f "$LOG"' EXIT
trap 'exit 130' INT TERM
# shellcheck disable=SC2046,SC2086 -- words of the list are arguments
nice -n 19 python -m pytest $(printf -- '--ignore=%s ' $TIMED) >"$LOG" 2>&1 &
OTHERS=$!
# shellcheck disable=SC2086
python -m pytest $TIMED
nodes=$?
wait $OTHERS
others=$?
cat "$LOG"
exit $((nodes ? nodes : others))
