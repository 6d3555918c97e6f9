# herd: every entry point. `make help` lists the targets.
#
# Parts: packages and dependencies first (included makefiles, so that the lists of sources below
# are complete), then one set of rules per variant of the node, then host tools, tests and checks.
#   variant    board        compiler            what for
#   posix      posix        gcc                 the node on a laptop, unit tests
#   posix-small posix-small gcc                 the same node with the limits of a small board
#   clang      posix        clang               warnings of a second compiler, objects only
#   m3         posix-small  arm-none-eabi-gcc   no POSIX in firmware/, objects only
#   sim-node   tests/sim/board  gcc            the nodes of the simulator (tests/sim/sim.mk)
# SAN=1 builds posix, posix-small and the simulator under ASan and UBSan into build/san/, O=1 with -O1
# into build/o1/.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
ifeq ($(MAKELEVEL),0)
# A -j of the user's own wins over this one.
MAKEFLAGS += -j$(shell nproc) --output-sync=target
endif

all:

NET ?= slirp
ifeq ($(NET),tap)
HERD ?= tools/herds/bailey-tap.conf
endif
HERD ?= tools/herds/bailey.conf
BOARD ?= posix
PYTHON := /usr/bin/python3
export DEPS_DIR DEPS_URL

BUILD := build
OUT := $(BUILD)$(if $(SAN),/san)$(O:%=/o%)
OBJ := $(OUT)/obj
DEPS := $(BUILD)/deps
GEN := $(BUILD)/gen
TOOLS := places-standin herdctl herd-run

# --- Packages and dependencies ------------------------------------------------------------------

GOALS := $(or $(MAKECMDGOALS),all)
BUILD_GOALS := $(filter-out help boards images clean distclean lint format deps-archive,$(GOALS))
BOARD_GOALS := firmware board size size-table flash debug qemu qemu-test qemu-mixed bench rig rig-test rig-planted
# What the nodes of the herd file run on, other than posix.
RUN_BOARDS := $(filter-out posix,$(if $(filter run,$(GOALS)),$(sort \
                $(shell sed -n 's/^board *= *\([a-z0-9-]*\).*/\1/p' '$(HERD)' 2>/dev/null))))
PACKAGES := $(if $(BUILD_GOALS)$(filter deps-archive,$(GOALS)),run) \
            $(if $(filter test unit e2e,$(GOALS)),test) \
            $(if $(filter tap,$(NET)),tap) \
            $(if $(filter test firmware-m3 $(BOARD_GOALS),$(GOALS))$(RUN_BOARDS),m3) \
            $(if $(filter qemu qemu-test qemu-mixed bench rig-test rig-planted,$(GOALS))$(RUN_BOARDS),qemu) \
            $(if $(filter lint format,$(GOALS)),lint)

ifneq ($(BUILD_GOALS),)
include $(DEPS)/deps.mk
endif

packages: FORCE
	@$(if $(filter 0,$(MAKELEVEL)),tools/build/packages.sh $(PACKAGES),:)

DEP_NAMES := lwip mbedtls cjson http-parser inih
DEP_STAMPS := $(wildcard $(DEP_NAMES:%=$(DEPS)/.stamp-%))
DEP_INPUTS := $(wildcard tools/deps/* tools/patches/*/*.patch)
DEPS_HERE := $(words $(wildcard $(DEP_NAMES:%=$(DEPS)/%))) $(words $(DEP_STAMPS))
DEPS_LOST := $(if $(filter-out $(words $(DEP_NAMES)),$(DEPS_HERE)),FORCE)

$(DEPS)/deps.mk: $(DEP_INPUTS) $(DEPS_LOST) | packages
	@tools/deps/fetch.sh
	@: >$@

# --- Generated sources --------------------------------------------------------------------------

ANCHORS := $(GEN)/trust_anchors.c
GENERATED := $(GEN)/version.h $(ANCHORS)

# Rewritten only when it changes, so that a commit rebuilds one object and not all.
$(GEN)/version.h: FORCE
	@tools/build/version.sh $@

$(ANCHORS): tools/build/anchors.sh
	@tools/build/anchors.sh $@

# --- Flags --------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# -MD and not -MMD: lwipopts.h and mbedtls_config.h are reached through system headers.
CFLAGS_ALL := -std=c11 -g -ffunction-sections -fdata-sections -MD -MP
CFLAGS_SAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_OPT := $(if $(SAN),$(CFLAGS_SAN),-O$(or $(O),2))
LDFLAGS_ALL := -Wl,--gc-sections $(if $(SAN),-fsanitize=address -fsanitize=undefined)

DEP_INCLUDES := $(patsubst %,-isystem $(DEPS)/%,lwip/src/include mbedtls/include cjson http-parser inih)
# -iquote: firmware/sched.h must not be taken for the system's <sched.h>.
OWN_INCLUDES := -iquote firmware -iquote hal
PORT_INCLUDES := -Iport/lwip -Iport/mbedtls -Iport/cjson
DEP_DEFINES := '-DMBEDTLS_CONFIG_FILE=<mbedtls_config.h>' -DINI_USE_STACK=1 \
               -DINI_STOP_ON_FIRST_ERROR=0 -DINI_ALLOW_MULTILINE=0 -DINI_MAX_LINE=512 \
               -DINI_HANDLER_LINENO=1

# What runs on the laptop may use GNU's extensions; firmware/ and the rest of port/ may not. Empty,
# so that a file may also say it itself.
HOST_DEFINES := -D_GNU_SOURCE=

# pkg-config's -I as -isystem (their headers are not ours to warn about); run once, when needed.
packaged = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $1))
SLIRP_CFLAGS = $(eval SLIRP_CFLAGS := $$(call packaged,slirp glib-2.0))$(SLIRP_CFLAGS)
SLIRP_LIBS = $(eval SLIRP_LIBS := $$(shell pkg-config --libs slirp glib-2.0))$(SLIRP_LIBS)

# $(call keep,FILE,TEXT): FILE holds TEXT, and is newer than before only if the text changed. make 4.3
# sometimes leaves the newline of what it reads, hence strip.
define keep
ifneq ($$(strip $$(file <$1)),$$(strip $2))
$$(shell mkdir -p $(dir $1))$$(file >$1,$2)
endif
endef

# --- Libraries ----------------------------------------------------------------------------------

LIBS := lwip mbedtls cjson http_parser inih
lwip_SRCS := $(wildcard $(DEPS)/lwip/src/core/*.c $(DEPS)/lwip/src/core/ipv4/*.c) \
             $(wildcard $(DEPS)/lwip/src/netif/ethernet.c $(DEPS)/lwip/src/apps/sntp/sntp.c)
mbedtls_SRCS := $(wildcard $(DEPS)/mbedtls/library/*.c)
cjson_SRCS := $(DEPS)/cjson/cJSON.c
cjson_FLAGS := -include port/cjson/cjson_port.h
http_parser_SRCS := $(DEPS)/http-parser/http_parser.c
# Its assert would pull printf, and with newlib a heap, into every image.
http_parser_FLAGS := -DNDEBUG
inih_SRCS := $(DEPS)/inih/ini.c

# --- The node -----------------------------------------------------------------------------------

FIRMWARE_SRCS := $(sort $(wildcard firmware/*.c))
GLUE_SRCS := $(sort $(wildcard port/lwip/*.c port/mbedtls/*.c port/cjson/*.c)) $(ANCHORS)

# boards/NAME/board.mk may set these; what the others mean is in tools/build/boards.mk.
define read_board
PORT_DIRS := port/posix
BOARD_CFLAGS :=
BOARD_LDLIBS :=
BOARD_IS :=
BOARD_BUILT :=
BOARD_TESTED :=
BOARD_HARDWARE :=
-include boards/$1/board.mk
$1_PORTS := $$(PORT_DIRS)
$1_CFLAGS := $$(BOARD_CFLAGS)
$1_LDLIBS := $$(BOARD_LDLIBS)
$1_IS := $$(BOARD_IS)
$1_BUILT := $$(BOARD_BUILT)
$1_TESTED := $$(BOARD_TESTED)
$1_HARDWARE := $$(BOARD_HARDWARE)
endef
BOARDS := $(notdir $(patsubst %/,%,$(dir $(wildcard boards/*/board.h))))
BOARDS := $(sort $(BOARDS) posix posix-small)
$(foreach b,$(BOARDS),$(eval $(call read_board,$b)))

objects = $(patsubst %.c,$(OBJ)/$1/%.o,$2)

# $(call library,VARIANT,LIB)
define library
$1_$2_OBJS := $(call objects,$1,$($2_SRCS))
$$($1_$2_OBJS): $(OBJ)/$1/%.o: %.c $(OBJ)/$1/flags-libs $(DEP_STAMPS)
	@mkdir -p $$(@D)
	@echo '  $1: $$(<F)'
	@$$($1_CC) -w $$($1_LIB_FLAGS) $($2_FLAGS) $$(EXTRA) -c $$< -o $$@
$(OBJ)/$1/lib$2.a: $$($1_$2_OBJS)
	@rm -f $$@ && $$($1_AR) rcs $$@ $$^
endef

# $(call variant,NAME,BOARD,CC,AR,NM,FLAGS): rules for the objects and libraries of a variant.
define variant
$1_CC := $3
$1_AR := $4
$1_NM := $5
$1_BASE := $(CFLAGS_ALL) $6 $($2_CFLAGS) -Iboards/$2 $(PORT_INCLUDES) $(DEP_DEFINES)
$1_LIB_FLAGS := $$($1_BASE) $(OWN_INCLUDES) $(DEP_INCLUDES) -I$(DEPS)/mbedtls/library
$1_OWN_FLAGS := $$($1_BASE) $(WARNINGS) $(OWN_INCLUDES) -I$(GEN) $(DEP_INCLUDES)
$$(eval $$(call keep,$(OBJ)/$1/flags-libs,$$($1_CC) $$($1_LIB_FLAGS)))
$$(eval $$(call keep,$(OBJ)/$1/flags-own,$$($1_CC) $$($1_OWN_FLAGS)))

$1_FIRMWARE_OBJS := $(call objects,$1,$(FIRMWARE_SRCS))
$1_GLUE_OBJS := $(call objects,$1,$(GLUE_SRCS))
$1_PORT_OBJS := $(call objects,$1,$(sort $(wildcard $($2_PORTS:%=%/*.c))))
$1_OWN_OBJS := $$($1_FIRMWARE_OBJS) $$($1_GLUE_OBJS) $$($1_PORT_OBJS)
$1_LIBS := $(LIBS:%=$(OBJ)/$1/lib%.a)

$$($1_PORT_OBJS): EXTRA = $(HOST_DEFINES) $($2_PORTS:%=-iquote %) $$(SLIRP_CFLAGS)
$(OBJ)/$1/%.o: %.c $(OBJ)/$1/flags-own $(DEP_STAMPS) | $(GENERATED) $(OBJ)/$2.board-checked
	@mkdir -p $$(@D)
	@echo '  $1: $$<'
	@$$($1_CC) $$($1_OWN_FLAGS) $$(EXTRA) -c $$< -o $$@
-include $$(patsubst %.o,%.d,$$($1_OWN_OBJS))
$(foreach l,$(LIBS),$(eval $(call library,$1,$l))-include $$(patsubst %.o,%.d,$$($1_$l_OBJS))
)
endef

# $(call node,VARIANT): the program, linked only when no firmware object asks for the heap.
define node
$(OUT)/$1/herd: $$($1_OWN_OBJS) $$($1_LIBS) | $(OBJ)/$1/no-heap
	@mkdir -p $$(@D)
	@echo '  $1: herd'
	@$$($1_CC) $(LDFLAGS_ALL) -Wl,-Map=$(OBJ)/$1/herd.map -o $$@ $$($1_OWN_OBJS) \
	    -Wl,--start-group $$($1_LIBS) -Wl,--end-group $$($1_LDLIBS) $$(SLIRP_LIBS)
$(OBJ)/$1/no-heap: $$($1_FIRMWARE_OBJS) tools/build/no-heap.sh
	@$(if $(SAN),:,tools/build/no-heap.sh $$($1_NM) $$($1_FIRMWARE_OBJS)) && : >$$@
endef

$(OBJ)/%.board-checked: tools/build/check-board.sh $(wildcard boards/*/board.h firmware/cfg.h)
	@mkdir -p $(@D)
	@tools/build/check-board.sh $* && : >$@

$(eval $(call variant,posix,posix,gcc,gcc-ar,nm,$(CFLAGS_OPT)))
$(eval $(call variant,posix-small,posix-small,gcc,gcc-ar,nm,$(CFLAGS_OPT)))
$(eval $(call node,posix))
$(eval $(call node,posix-small))
ifneq ($(filter clang-check,$(GOALS)),)
$(eval $(call variant,clang,posix,clang,ar,nm,-O2))
endif
ifneq ($(filter firmware-m3 no-heap-m3,$(GOALS)),)
$(eval $(call variant,m3,posix-small,arm-none-eabi-gcc,arm-none-eabi-gcc-ar,arm-none-eabi-nm,-Os -mcpu=cortex-m3 -mthumb))
endif

# --- Host tools ---------------------------------------------------------------------------------

# tools/common/*.c is linked into every tool. herdctl and herd-run read the herd file with inih.
places-standin_LDLIBS := -lssl -lcrypto
herdctl_LDLIBS := -lexpat
herd-run_LDLIBS :=
TOOL_FLAGS := $(CFLAGS_ALL) $(CFLAGS_OPT) $(WARNINGS) $(HOST_DEFINES) -Itools/common -I$(GEN) \
              -isystem $(DEPS)/inih $(DEP_DEFINES) -pthread
$(eval $(call keep,$(OBJ)/flags-tools,gcc $(TOOL_FLAGS)))

TOOL_SRCS := $(sort $(wildcard tools/common/*.c $(TOOLS:%=tools/%/*.c)))
TOOL_OBJS := $(TOOL_SRCS:%.c=$(OBJ)/%.o)
$(OBJ)/tools/%.o: tools/%.c $(OBJ)/flags-tools $(DEP_STAMPS) | $(GEN)/version.h
	@mkdir -p $(@D)
	@echo '  tools: $<'
	@gcc $(TOOL_FLAGS) -c $< -o $@
$(OBJ)/tools/ini.o: $(DEPS)/inih/ini.c $(OBJ)/flags-tools $(DEP_STAMPS)
	@mkdir -p $(@D)
	@gcc $(filter-out -W%,$(TOOL_FLAGS)) -c $< -o $@
-include $(TOOL_OBJS:.o=.d)

define tool
$(OUT)/tools/$1: $(filter $(OBJ)/tools/$1/% $(OBJ)/tools/common/%,$(TOOL_OBJS)) $(OBJ)/tools/ini.o
	@mkdir -p $$(@D)
	@echo '  tools: $1'
	@gcc $(LDFLAGS_ALL) -pthread -o $$@ $$^ $($1_LDLIBS) -lm
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))
TOOL_BINS := $(TOOLS:%=$(OUT)/tools/%)

CERTS := $(BUILD)/certs/.stamp
$(CERTS): tools/places-standin/certs.sh
	@mkdir -p $(@D)
	@tools/places-standin/certs.sh $(@D) && : >$@

# --- Unit tests ---------------------------------------------------------------------------------

# tests/unit/test_NAME.c becomes build/tests/unit/test_NAME. In tests/unit/tests.mk a test may say
#   test_NAME_SRCS := files linked with it (firmware/, port/, tools/, tests/)
#                     default: firmware/NAME.c
#   test_NAME_CFLAGS, test_NAME_LDLIBS
# The firmware objects are those of the posix node; its libraries are always on the link line.
-include tests/unit/tests.mk
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))

UNIT_EXTRA := $(HOST_DEFINES) -Itests/unit -Itools -Itools/common
$(OBJ)/posix/tests/%.o: EXTRA = $(UNIT_EXTRA)

define unit_test
$1_SRCS ?= $(wildcard $(1:test_%=firmware/%.c))
$1_OBJS := $$(patsubst %.c,$(OBJ)/%.o,$$(filter tools/%,$$($1_SRCS))) \
           $$(patsubst %.c,$(OBJ)/posix/%.o,tests/unit/$1.c $$(filter-out tools/%,$$($1_SRCS)))
$(OBJ)/posix/tests/unit/$1.o: EXTRA = $(UNIT_EXTRA) $$($1_CFLAGS)
$(OUT)/tests/unit/$1: $$($1_OBJS) $(posix_LIBS)
	@mkdir -p $$(@D)
	@gcc $(LDFLAGS_ALL) -o $$@ $$($1_OBJS) -Wl,--start-group $(posix_LIBS) -Wl,--end-group \
	    $$($1_LDLIBS) -lcmocka -lm
-include $$($1_OBJS:.o=.d)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$t)))
UNIT_BINS := $(UNIT_TESTS:%=$(OUT)/tests/unit/%)

include tools/build/boards.mk
include tools/build/enet.mk
include tests/sim/sim.mk
include tests/sim/mutants/mutants.mk

RUN_TESTS = env HERD_MAKE="$(MAKE)" HERD_BIN_DIR=$(OUT) SAN=$(SAN) $(PYTHON) tools/build/run-tests

# --- Targets ------------------------------------------------------------------------------------

help: ## list the targets
	@awk -F ':.* ## ' '/^[a-z0-9-]+:.* ## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile tools/build/*.mk tests/sim/sim.mk tests/sim/mutants/mutants.mk
	@echo '  BOARD= is a board of make boards; make test runs no QEMU, .ci/run does.'
	@echo '  SAN=1 builds and tests under ASan and UBSan; BOARD=posix-small builds with small limits;'
	@echo '  DEPS_DIR=FOLDER takes dependency archives from a folder first.'

all: node tools $(CERTS) ## build the node, the host tools and the test certificates (default)

node: $(OUT)/$(BOARD)/herd ## build the node only
tools: $(TOOL_BINS) ## build the host tools only

run: all run-boards ## start a herd: HERD=FILE another, NET=tap (root) hosts on a wire, PLACES_KEY_FILE=FILE ask Google, KEYS=DIR kept keys
	@+exec $(OUT)/tools/herd-run --net $(NET) $(if $(PLACES_KEY_FILE),--places-key-file '$(PLACES_KEY_FILE)') $(KEYS:%=--keys '%') '$(HERD)'

run-boards: $(if $(filter posix-small,$(RUN_BOARDS)),$(OUT)/posix-small/herd)
	@+for b in $(filter-out posix-small,$(RUN_BOARDS)); do \
	    profile=$$(echo "$$b" | sed -n 's/.*-\(small\)$$/\1/p'); \
	    $(MAKE) BOARD="$${b%-small}" PROFILE="$$profile" SAN= board || exit 1; done

test: ## everything: unit, simulator, e2e, warnings, Cortex-M3, small limits; last line is the count
	@+exec $(RUN_TESTS) build unit sim e2e
unit: ## the unit tests only
	@+exec $(RUN_TESTS) unit
e2e: ## the end-to-end tests only (PYTEST_ARGS=... is passed on)
	@+exec $(RUN_TESTS) e2e

lint: packages ## clang-format, cppcheck and the include rules of the architecture
	@tools/build/lint.sh

format: packages ## rewrite our sources with clang-format
	@clang-format -i $$(find firmware hal port boards tools tests -name '*.[ch]')

firmware-m3: $(m3_FIRMWARE_OBJS) $(m3_GLUE_OBJS) $(m3_LIBS) no-heap-m3 ## compile the firmware for Cortex-M3

deps: ## fetch the pinned third-party sources into build/deps
	@:

deps-archive: packages ## pack the verified archives for the project's release "deps"
	@rm -rf $(BUILD)/deps-archive && mkdir -p $(BUILD)/deps-archive
	@cp $$(tools/deps/fetch.sh archives) $(BUILD)/deps-archive/
	@cd $(BUILD)/deps-archive && sha256sum * >SHA256SUMS && echo 'publish $(BUILD)/deps-archive/* as release "deps":' && ls

clean: ## remove what was built; keep dependencies, certificates and generated sources
	@rm -rf $(filter-out $(DEPS) $(BUILD)/certs $(GEN),$(wildcard $(BUILD)/*))

distclean: ## remove everything that is not in the repository
	@rm -rf $(BUILD)

# Parts of `make test`, for tools/build/run-tests.
build-tests: $(UNIT_BINS)
build-e2e: $(OUT)/posix/herd $(OUT)/posix-small/herd $(TOOL_BINS) $(CERTS)
clang-check: $(clang_OWN_OBJS) $(call objects,clang,$(TOOL_SRCS) $(wildcard tests/unit/*.c))
$(call objects,clang,$(TOOL_SRCS) $(wildcard tests/unit/*.c)): EXTRA = $(UNIT_EXTRA) -pthread
$(foreach t,$(UNIT_TESTS),$(eval $(call objects,clang,tests/unit/$t.c): EXTRA += $($t_CFLAGS)))
no-heap-libs: $(OUT)/posix/herd $(OUT)/posix-small/herd
	@for v in posix posix-small; do \
	    tools/build/no-heap.sh nm --map $(OBJ)/$$v/herd.map $(LIBS:%=$(OBJ)/$$v/lib%.a) || exit 1; done
no-heap-m3: $(m3_FIRMWARE_OBJS)
	@tools/build/no-heap.sh arm-none-eabi-nm $^

FORCE:
.PHONY: FORCE packages all help node tools run run-boards test unit e2e lint format firmware-m3 deps deps-archive clean distclean \
        build-tests build-e2e clang-check no-heap-libs no-heap-m3
