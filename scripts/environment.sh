# Sourced by the Makefile: the environment in which nl_robot runs from this tree.
# Every run has a ROS domain of its own and speaks to this machine only.
VENV="${VENV:-.venv}"
case "$VENV" in /*) ;; *) VENV="$(pwd)/$VENV" ;; esac
export VIRTUAL_ENV="$VENV"
export PATH="$VENV/bin:$PATH"
export AMENT_PREFIX_PATH="$VENV"
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
export ROS_DOMAIN_ID="${ROS_DOMAIN_ID:-$(( $$ % 90 + 10 ))}"
export ROS_PYTHON_CHECK_FIELDS=1
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export TOKENIZERS_PARALLELISM=false
unset PYTHONPATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
