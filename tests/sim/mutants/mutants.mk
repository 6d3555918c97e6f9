# Planted bugs: included by the Makefile. tests/sim/README.md has their table.

sim-mutants: build-sim ## each planted bug (tests/sim/mutants) must be caught by the simulator: [MUTANTS=NAME...]
	@HERD_MAKE='$(MAKE)' tests/sim/mutants/run $(MUTANTS:%=tests/sim/mutants/%.patch)
.PHONY: sim-mutants
