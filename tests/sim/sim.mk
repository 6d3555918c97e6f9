# The seeded simulator: included by the Makefile. tests/sim/README.md says how it works.
#
#   build/sim/sim          engine, scenarios, checker: a program of this machine
#   build/sim/node.so      firmware, libraries and tests/sim/node, loaded once per node
#   build/sim/node-small.so the same with tables that overflow
#   build/sim/client.so    lwIP and tests/sim/peer, loaded once per host of clients
#
# SAN=1 builds all of it under ASan and UBSan, O=1 with -O1: for the comparison of hashes (make sim-hash).

SIM := $(OUT)/sim
SIM_PIC := -fPIC -fvisibility=hidden
SIM_SHARED := -shared -Wl,-Bsymbolic -Wl,-z,now -Wl,--gc-sections $(if $(SAN),-fsanitize=address -fsanitize=undefined)
# tests/sim/node/pools.c
SIM_POISON := $(if $(SAN),-Xlinker --wrap=memp_malloc -Xlinker --wrap=memp_free)
# tests/sim/node/crypto.c
SIM_CRYPTO := $(addprefix -Xlinker --wrap=mbedtls_ssl_,handshake_step read write)
# tests/sim/node/tamper.c
SIM_TAMPER := -Xlinker --wrap=tls_write
SIM_CFLAGS := -iquote tests/sim

# --- Nodes: two variants of firmware/, as those of a board --------------------------------------

sim_PORTS := tests/sim/node
sim_CFLAGS := -Itests/sim/board
sim-small_PORTS := tests/sim/node
sim-small_CFLAGS := -Itests/sim/board -DBOARD_SMALL
$(eval $(call variant,sim-node,sim,gcc,gcc-ar,nm,$(CFLAGS_OPT) $(SIM_PIC)))
$(eval $(call variant,sim-node-small,sim-small,gcc,gcc-ar,nm,$(CFLAGS_OPT) $(SIM_PIC)))

# $(call sim_node,VARIANT,NAME)
define sim_node
$$($1_PORT_OBJS): EXTRA = $(HOST_DEFINES) -iquote tests/sim/node $(SIM_CFLAGS)
$(SIM)/$2.so: $$($1_OWN_OBJS) $$($1_LIBS)
	@mkdir -p $$(@D)
	@echo '  sim: $2.so'
	@gcc $(SIM_SHARED) $(SIM_POISON) $(SIM_CRYPTO) $(SIM_TAMPER) -o $$@ $$($1_OWN_OBJS) -Wl,--start-group $$($1_LIBS) -Wl,--end-group
endef
$(eval $(call sim_node,sim-node,node))
$(eval $(call sim_node,sim-node-small,node-small))

# --- Hosts of clients: lwIP with other options --------------------------------------------------

SIM_PEER_FLAGS := $(CFLAGS_ALL) $(CFLAGS_OPT) $(SIM_PIC) $(HOST_DEFINES) -Itests/sim/peer $(SIM_CFLAGS)
SIM_PEER_LWIP := $(filter-out %/sntp.c,$(lwip_SRCS))
SIM_PEER_LWIP_OBJS := $(call objects,sim-peer,$(SIM_PEER_LWIP))
SIM_PEER_OWN_OBJS := $(call objects,sim-peer,$(wildcard tests/sim/peer/*.c))
$(eval $(call keep,$(OBJ)/sim-peer/flags,$(SIM_PEER_FLAGS)))

$(SIM_PEER_LWIP_OBJS): $(OBJ)/sim-peer/%.o: %.c $(OBJ)/sim-peer/flags $(DEP_STAMPS)
	@mkdir -p $(@D)
	@echo '  sim-peer: $(<F)'
	@gcc $(SIM_PEER_FLAGS) -w -I$(DEPS)/lwip/src/include -c $< -o $@
$(SIM_PEER_OWN_OBJS): $(OBJ)/sim-peer/%.o: %.c $(OBJ)/sim-peer/flags $(DEP_STAMPS)
	@mkdir -p $(@D)
	@echo '  sim-peer: $<'
	@gcc $(SIM_PEER_FLAGS) $(WARNINGS) -isystem $(DEPS)/lwip/src/include -c $< -o $@
$(SIM)/client.so: $(SIM_PEER_LWIP_OBJS) $(SIM_PEER_OWN_OBJS)
	@mkdir -p $(@D)
	@echo '  sim: client.so'
	@gcc $(SIM_SHARED) -o $@ $^
-include $(SIM_PEER_LWIP_OBJS:.o=.d) $(SIM_PEER_OWN_OBJS:.o=.d)

# --- Engine, scenarios, checker -----------------------------------------------------------------

SIM_FLAGS := $(CFLAGS_ALL) $(CFLAGS_OPT) $(WARNINGS) $(HOST_DEFINES) $(SIM_CFLAGS)
SIM_OBJS := $(patsubst %.c,$(OBJ)/sim/%.o,$(sort $(wildcard tests/sim/*.c)))
$(eval $(call keep,$(OBJ)/sim/flags,$(SIM_FLAGS)))
$(SIM_OBJS): $(OBJ)/sim/%.o: %.c $(OBJ)/sim/flags
	@mkdir -p $(@D)
	@echo '  sim: $<'
	@gcc $(SIM_FLAGS) -c $< -o $@
$(SIM)/sim: $(SIM_OBJS)
	@mkdir -p $(@D)
	@echo '  sim: sim'
	@gcc $(if $(SAN),-fsanitize=address -fsanitize=undefined) -rdynamic -o $@ $^ -ldl -lm
-include $(SIM_OBJS:.o=.d)

# Warnings of a second compiler.
SIM_CLANG_OBJS := $(call objects,clang,$(wildcard tests/sim/*.c))
$(SIM_CLANG_OBJS): EXTRA = $(HOST_DEFINES) $(SIM_CFLAGS)
clang-check: $(SIM_CLANG_OBJS)

# --- Targets ------------------------------------------------------------------------------------

SIM_ALL := $(SIM)/sim $(SIM)/node.so $(SIM)/node-small.so $(SIM)/client.so
# Not NODES: make qemu has a default for it.
SIM_NODES := $(if $(filter file default undefined,$(origin NODES)),,$(NODES))
SIM_ARGS = $(SEED:%=--seed %) $(RUNS:%=--runs %) $(SIM_NODES:%=--nodes %) $(SUITE:%=--suite %) \
           $(JOBS:%=--jobs %) $(MINUTES:%=--minutes %) $(SCENARIO:%=--scenario %) $(SIM_LOG:%=--log %)

build-sim: $(SIM_ALL)
sim: build-sim ## a simulated herd under faults: [SEED=] [RUNS=] [NODES=] [SUITE=] [MINUTES=] [JOBS=] [SIM_LOG=FILE]
	@$(SIM)/sim $(SIM_ARGS)

sim-test: ## the simulator's part of make test: fixed seeds of every scenario
	@+exec $(RUN_TESTS) sim

# What a run is must not depend on the compiler, on addresses or on memory that nobody has set.
HASH_RUNS ?= 20
sim-hash: build-sim ## the same seeds give the same hashes: -O2 twice, -O1, ASan, ASLR off: [SEED=] [HASH_RUNS=]
	@+$(MAKE) O=1 build-sim
	@+$(MAKE) SAN=1 build-sim
	@for suite in psk ecdhe-psk; do \
	    tests/sim/hash.sh $(or $(SEED),1) $(HASH_RUNS) $$suite $(SIM) $(BUILD)/o1/sim $(BUILD)/san/sim || exit 1; done
.PHONY: sim sim-test build-sim sim-hash
