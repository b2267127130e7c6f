"""A process that only seems to learn: `talk` says two facts and fails, `hang` says nothing."""

import json
import os
import sys
import time


def main() -> int:
    if sys.argv[1] == 'hang':
        time.sleep(600)
    print(json.dumps({'phase': 'learning', 'nice': os.nice(0)}), flush=True)
    print('a line that is no fact')
    print(json.dumps({'phase': 'done'}), flush=True)
    print('nl_robot: learning diverged', file=sys.stderr)
    return 2
