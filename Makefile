# Two commands: `make lab` runs the kit on an embedded cluster, `make test` passes the kit's own tests.
PYTHON ?= python3
VENV := .venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: lab test clean

lab: $(VENV)/.installed
	$(VENV)/bin/nftconform run --lab $(ARGS)

# An ordinary user of Debian has no sbin on the path, where nft and sysctl are.
test: export PATH := $(PATH):/usr/sbin:/sbin
# Which faults are tried: others with every commit, the same ones wherever that is tested.
test: export NFTCONFORM_SEED ?= $(shell git rev-list --count HEAD 2>/dev/null || echo 0)
test: $(VENV)/.tested
	$(VENV)/bin/tox run $(ARGS)

$(VENV)/.installed: pyproject.toml .ci/packages
	PYTHON=$(PYTHON) .ci/packages
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

# The kit itself is not needed here: tox installs it with all that its tests need.
$(VENV)/.tested: .ci/packages
	PYTHON=$(PYTHON) .ci/packages tests
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet "tox>=4.20"
	touch $@

clean:
	rm -rf $(VENV) .tox build dist reports/out
