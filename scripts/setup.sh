#!/bin/sh
# Makes the virtual environment that `make demo` and `make test` use, once. What it did last
# stands in a stamp; while nothing that matters has changed, a further run ends at once.
set -eu
cd "$(dirname "$0")/.."
VENV="${VENV:-.venv}"
DISTRO="${DISTRO:-jazzy}"    # of ROS 2, as wheels
TORCH_CPU_INDEX='https://download.pytorch.org/whl/cpu'
RENDERER_PACKAGES='libegl1 libopengl0 libgl1 libgl1-mesa-dri libosmesa6'

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

fingerprint() {
    { pwd; echo "$DISTRO"; cat constraints*.txt requirements*.txt setup.py setup.cfg scripts/setup.sh \
          scripts/link_share.py "$VENV/pyvenv.cfg"; } 2>/dev/null | sha256sum | cut -d' ' -f1
}

# True when this user may install packages without being asked for anything.
may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1
}

apt_install() {
    SUDO=''; [ "$(id -u)" = 0 ] || SUDO='sudo -n'
    say "installing $* with apt"
    { $SUDO apt-get update -q && $SUDO env DEBIAN_FRONTEND=noninteractive \
          apt-get install -q -y --no-install-recommends "$@"; } >/dev/null
}

suits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.10; do
        if suits "$candidate"; then echo "$candidate"; return; fi
    done
    return 1
}

make_venv() {
    PYTHON=$(find_python) || fail 'no Python 3.10 to 3.13 found; install one, for example: ' \
        'sudo apt-get install python3 python3-venv'
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        NAME=$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        may_install || fail "Python lacks its venv module; type: sudo apt-get install $NAME"
        apt_install "$NAME" || apt_install python3-venv
    fi
    say "making $VENV with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear "$VENV"
}

# Runs a command with its output in the log; shows the end of it when the command fails.
logged() {
    "$@" >>"$LOG" 2>&1 || { tail -n 25 "$LOG" >&2; fail "failed: $* (all of it in $LOG)"; }
}

pip() { logged "$VENV/bin/python" -m pip install --disable-pip-version-check -c "$CONSTRAINTS" "$@"; }

# Jazzy's packages are in the files of requirements and constraints; another distribution has a
# file of constraints of its own, and the same names with its own name in them.
choose_distro() {
    CONSTRAINTS=constraints.txt ROS=requirements-ros.txt DEV=requirements-dev.txt
    [ "$DISTRO" = jazzy ] && return
    [ -e "constraints-$DISTRO.txt" ] || fail "no constraints-$DISTRO.txt: DISTRO must be one of" \
        "jazzy $(ls constraints-*.txt | sed 's/constraints-//; s/.txt//' | tr '\n' ' ')"
    CONSTRAINTS="$VENV/constraints.txt" ROS="$VENV/requirements-ros.txt"
    DEV="$VENV/requirements-dev.txt"
    { grep -v '^ros-' constraints.txt; cat "constraints-$DISTRO.txt"; } >"$CONSTRAINTS"
    for part in ros dev; do
        sed "s/^ros-jazzy-/ros-$DISTRO-/" "requirements-$part.txt" >"$VENV/requirements-$part.txt"
    done
}

# PyPI's torch for Linux on x86 is the CUDA build, so PyTorch's own CPU index comes first.
install_torch() {
    if "$VENV/bin/python" -c "import urllib.request as u; u.urlopen('$TORCH_CPU_INDEX/torch/', \
timeout=5)" 2>/dev/null; then
        pip --extra-index-url "$TORCH_CPU_INDEX" torch
    else
        pip torch
    fi
}

check_renderer() {
    CHECK='from nl_robot.sim.senses import choose_renderer; choose_renderer()'
    "$VENV/bin/python" -c "$CHECK" >>"$LOG" 2>&1 && return
    may_install || fail 'no headless renderer (EGL or OSMesa) works; type: ' \
        "sudo apt-get install $RENDERER_PACKAGES"
    # shellcheck disable=SC2086
    apt_install $RENDERER_PACKAGES || true
    logged "$VENV/bin/python" -c "$CHECK"
}

unset MUJOCO_GL PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
STAMP="$VENV/.nl_robot-$(fingerprint)"
[ -e "$STAMP" ] && exit 0

HERE=$(pwd)
if [ -d "$VENV" ]; then
    # Scripts of a virtual environment hold its path: one that was moved must be made anew.
    WAS=$(cat "$VENV/.nl_robot-home" 2>/dev/null || echo "$HERE")
    if [ "$WAS" != "$HERE" ] || ! suits "$VENV/bin/python" \
            || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        make_venv
    fi
else
    make_venv
fi
echo "$HERE" >"$VENV/.nl_robot-home"
rm -f "$VENV"/.nl_robot-????????????????*
LOG="$VENV/setup.log"
: >"$LOG"
say 'installing pinned packages: some minutes and about 2 GB the first time'
choose_distro
install_torch
pip -r requirements.txt -r "$ROS" -r "$DEV" -r "requirements-$DISTRO.txt"
pip --no-deps --no-build-isolation -e .
logged "$VENV/bin/python" scripts/link_share.py
check_renderer
touch "$VENV/.nl_robot-$(fingerprint)"
say 'done'
