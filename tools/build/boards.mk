# Images for boards: included by the Makefile. A board whose board.mk sets BOARD_CPU is built here.
#
#   make firmware BOARD=mps2-an385 [PROFILE=small] HERD=FILE NODE=NAME
#        [KEYS=DIR] [SETTINGS='section.key=value ...'] [TRUST=FILE.pem] [PLACES_KEY_FILE=FILE]
#     -> build/boards/BOARD[-PROFILE]/NODE/herd.elf, herd.bin
#
# The program is linked once per board and profile (build/boards/BOARD[-PROFILE]/herd.elf, herd.map);
# images of nodes differ in their factory configuration only. KEYS is the directory of herdctl keys: the image
# gets the node's own, NODE.keys, and then is for nobody else to read.

# What a board.mk says, besides PORT_DIRS and the like:
#   BOARD_CPU       compiler flags of the core; a board without it is a program on this machine
#   BOARD_IS        the board, in a line of `make boards`
#   BOARD_BUILT     what of it is built: profiles
#   BOARD_TESTED    how it is tested
#   BOARD_HARDWARE  who ran it on the real board, or `not yet`
#   BOARD_QEMU      QEMU's options for the machine; empty: QEMU has no such board
#   BOARD_OPENOCD   OpenOCD's script for the board
#   BOARD_SDCARD    the image's file on the SD card that the board loads it from
#   BOARD_PROFILES  profiles besides the full one
#   BOARD_TESTS_OUT unit tests that need more than it has

M := $(BOARD)$(if $(PROFILE),-$(PROFILE))
NODE ?= $(shell sed -n 's/^\[node \([^]]*\)\].*/\1/p' $(HERD) 2>/dev/null | head -n 1)
# For make qemu and make debug without a BOARD.
QEMU_BOARD := $(if $(filter posix%,$(BOARD)),mps2-an385,$(BOARD))
NODES ?= 3
BOARD_CPU :=
BOARD_QEMU :=
BOARD_OPENOCD :=
BOARD_SDCARD :=
BOARD_TESTS_OUT :=
-include boards/$(BOARD)/board.mk

ifneq ($(BOARD_CPU),)
ifneq ($(filter-out $(BOARD_PROFILES),$(PROFILE)),)
$(error $(BOARD) has no profile $(PROFILE), only: $(BOARD_PROFILES))
endif

BOARD_OUT := $(BUILD)/boards/$M
IMAGE := $(BOARD_OUT)/$(NODE)
BOARD_FLAGS := $(strip -Os $(BOARD_CPU) --specs=nano.specs -fstack-usage -fno-common \
                 $(if $(filter small,$(PROFILE)),-DBOARD_PROFILE_SMALL))
$(eval $(call variant,$M,$(BOARD),arm-none-eabi-gcc,arm-none-eabi-gcc-ar,arm-none-eabi-nm,$(BOARD_FLAGS)))
# Not the host's flags, which the rule for a port's objects adds.
$($M_PORT_OBJS): EXTRA = -iquote port/cortex-m $($(BOARD)_PORTS:%=-iquote %)

$(OBJ)/$M/board.ld: boards/$(BOARD)/board.ld boards/$(BOARD)/board.h port/cortex-m/sections.ld
$(OBJ)/$M/target.ld: tests/target/target.ld boards/$(BOARD)/board.h
$(OBJ)/$M/board.ld $(OBJ)/$M/target.ld:
	@mkdir -p $(@D)
	@arm-none-eabi-gcc -E -P -x c -I. -Iboards/$(BOARD) $(filter -D%,$(BOARD_FLAGS)) $< -o $@

BOARD_LINK := $($M_CC) $(BOARD_CPU) -nostartfiles -Wl,--gc-sections -Wl,--fatal-warnings
$(BOARD_OUT)/herd.elf: $($M_OWN_OBJS) $($M_LIBS) $(OBJ)/$M/board.ld tools/build/no-heap-image.sh
	@mkdir -p $(@D)
	@echo '  $M: herd.elf'
	@$(BOARD_LINK) -T $(OBJ)/$M/board.ld -Wl,-Map=$(@:.elf=.map) -o $@ $($M_OWN_OBJS) \
	    -Wl,--start-group $($M_LIBS) -Wl,--end-group
	@tools/build/no-heap-image.sh arm-none-eabi-nm $@
	@arm-none-eabi-objcopy -O binary -R .factory $@ $(@:.elf=.bin)

# The configuration of one node in the image's last pages.
$(IMAGE)/herd.bin: $(BOARD_OUT)/herd.elf FORCE
	@mkdir -p $(@D)
	@tools/build/factory --herd '$(HERD)' --node '$(NODE)' $(KEYS:%=--keys '%/$(NODE).keys') $(TRUST:%=--trust '%') \
	    $(PLACES_KEY_FILE:%=--key-file '%') $(SETTINGS:%=--set '%') $(IMAGE)/factory.bin
	@umask 077 && rm -f $(IMAGE)/herd.elf $@ && \
	arm-none-eabi-objcopy --update-section .factory=$(IMAGE)/factory.bin $< $(IMAGE)/herd.elf && \
	arm-none-eabi-objcopy -O binary $(IMAGE)/herd.elf $@ && chmod 600 $(IMAGE)/herd.elf $@

# Unit tests on the target CPU: the sources of tests/unit with tests/target/cmocka.h, linked with the
# objects of the board. Not those of the POSIX port.
TARGET_TESTS := $(filter-out $(BOARD_TESTS_OUT) test_frame_queue $(foreach t,$(UNIT_TESTS),\
                  $(if $(filter port/posix/% port/nxp/% tools/%,$($t_SRCS)),$t)),$(UNIT_TESTS))
TARGET_TEST_BINS := $(TARGET_TESTS:%=$(BOARD_OUT)/tests/%.elf)
TARGET_START := $(patsubst %.c,$(OBJ)/$M/%.o,port/cortex-m/startup.c port/cortex-m/vectors.c \
                  tests/target/target.c $(wildcard $($(BOARD)_PORTS:%=%/reset.c)))
TARGET_EXTRA := $(HOST_DEFINES) -Itests/target -Itests/unit -iquote port/cortex-m
$(OBJ)/$M/tests/target/%.o $(OBJ)/$M/tests/unit/%.o: EXTRA = $(TARGET_EXTRA)
define target_test
$(OBJ)/$M/tests/unit/$1.o: EXTRA = $(TARGET_EXTRA) $$($1_CFLAGS)
$(BOARD_OUT)/tests/$1.elf: $(OBJ)/$M/tests/unit/$1.o $(TARGET_START) \
        $(patsubst %.c,$(OBJ)/$M/%.o,$(or $($1_SRCS),$(wildcard $(1:test_%=firmware/%.c)))) $($M_LIBS) \
        $(OBJ)/$M/target.ld
	@mkdir -p $$(@D)
	@$($M_CC) $(BOARD_CPU) --specs=nano.specs -nostartfiles -Wl,--gc-sections -u _printf_float \
	    -T $(OBJ)/$M/target.ld -o $$@ $$(filter %.o,$$^) \
	    -Wl,--start-group $($M_LIBS) -lc_nano -lrdimon_nano -Wl,--end-group 2>$$@.log || { cat $$@.log >&2; exit 1; }
-include $(OBJ)/$M/tests/unit/$1.d
endef
$(foreach t,$(TARGET_TESTS),$(eval $(call target_test,$t)))
target-tests: $(TARGET_TEST_BINS)

# A program that checks the board's hal_flash, where its ports have one.
FLASH_CHECK := $(if $(wildcard $(patsubst %,%/hal_flash.c,$(filter-out port/noflash,$($(BOARD)_PORTS)))),$(BOARD_OUT)/flash-check.elf)
$(BOARD_OUT)/flash-check.elf: $(OBJ)/$M/tests/target/flash_check.o $($M_OWN_OBJS) $($M_LIBS) $(OBJ)/$M/board.ld
	@$(BOARD_LINK) -T $(OBJ)/$M/board.ld -o $@ $(filter-out %/main.o,$(filter %.o,$^)) \
	    -Wl,--start-group $($M_LIBS) -Wl,--end-group
target-tests: $(FLASH_CHECK)

# The same program under QEMU, with the command line of build/posix/herd.
$(BUILD)/$M/herd: tools/qemu-run/qemu-run $(BOARD_OUT)/herd.elf
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --board $M "$$@"\n' '$(abspath tools/qemu-run/qemu-run)' >$@
	@chmod +x $@

board: $(BOARD_OUT)/herd.elf $(if $(BOARD_QEMU),$(BUILD)/$M/herd) ## a board's image, and build/BOARD/herd to run it under QEMU
firmware: $(IMAGE)/herd.bin ## an image for a board: BOARD= [PROFILE=] HERD=FILE NODE=NAME [KEYS=DIR]
	@echo '$<'

# Sizes against budgets; the header as the compiler reads it, for the budgets.
size: board ## flash, RAM and stack of a board's image against its budgets (RECORD=1 notes them)
	@arm-none-eabi-gcc -E -dM -x c $(filter -D%,$(BOARD_FLAGS)) boards/$(BOARD)/board.h >$(OBJ)/$M/board.defs
	@tools/build/size --sizes boards/$(BOARD)/sizes$(PROFILE:%=-%) $(RECORD:%=--record) $M $(OBJ)/$M/board.defs $(BOARD_OUT)/herd.map \
	    $(BOARD_OUT)/herd.elf $(OBJ)/$M boards/stack-calls

# On the real board: its own node, so the herd file has to be given.
ON_BOARD = env BOARD=$(BOARD) IMAGE=$(IMAGE) OPENOCD='$(BOARD_OPENOCD)' SD_NAME='$(BOARD_SDCARD)' \
           SDCARD='$(SDCARD)' DRY_RUN='$(DRY_RUN)' HERD='$(HERD)' NODE='$(NODE)' \
           QEMU='$(if $(BOARD_QEMU),$(BUILD)/$M/herd)' KEYS='$(KEYS)' ON='$(ON)' tools/build/on-board
flash: $(if $(filter file default undefined,$(origin HERD)),,$(IMAGE)/herd.bin) ## put a node on a board: BOARD= HERD=FILE NODE=NAME [KEYS=DIR] [SDCARD=FOLDER] [DRY_RUN=1]
	@$(if $<,,echo 'flash: which node? make flash BOARD=$(BOARD) HERD=FILE NODE=NAME' >&2; exit 2)
	@$(ON_BOARD) flash
debug: $(IMAGE)/herd.bin board ## gdb with a node under QEMU, or on the board (ON=board): BOARD= HERD=FILE NODE=NAME [KEYS=DIR]
	@+exec $(ON_BOARD) debug

# With a NODE= of the caller's own one node, its console here; else a herd.
qemu: board all ## a herd of boards under QEMU: BOARD= [NODES=n]; with HERD=FILE NODE=NAME that node only
ifeq ($(filter file default undefined,$(origin NODE)),)
	@+exec $(BUILD)/$M/herd -c '$(HERD)' $(KEYS:%=--keys '%/$(NODE).keys') $(SETTINGS:%=--set '%') '$(NODE)'
else
	@tools/qemu-run/herd-file $M $(NODES) >$(BUILD)/qemu.conf
	@+exec $(OUT)/tools/herd-run $(SETTINGS:%=--set '%') $(BUILD)/qemu.conf
endif

build-qemu: board target-tests $(OUT)/posix/herd $(OUT)/posix-small/herd $(TOOL_BINS) $(CERTS)
qemu-test: build-qemu ## unit tests on the target CPU, board tests and end-to-end tests under QEMU
	@+exec tools/build/qemu-test $M '$(BOARD_QEMU)' $(TARGET_TEST_BINS)

bench: build-qemu ## instructions per command and handshake on the emulated CPU
	@+exec tools/build/qemu-test --bench $M

else
qemu:
	@+exec $(MAKE) BOARD=$(QEMU_BOARD) qemu
board firmware size flash debug qemu-test bench:
	@echo '$@: BOARD=$(BOARD) is not a board to flash; see: make boards' >&2; exit 1
endif

# Herds of several boards: the images of both, one after the other.
MIXED_BOARDS := mps2-an385 lm3s6965evb
qemu-mixed: build-e2e ## end-to-end tests of herds of posix nodes, mps2-an385 and lm3s6965evb under QEMU
	@+for b in $(MIXED_BOARDS); do $(MAKE) BOARD=$$b board || exit 1; done
	@+exec tools/build/qemu-test --mixed $(MIXED_BOARDS)

# Every image: boards with a core of their own, in all profiles.
IMAGES := $(foreach b,$(BOARDS),$(if $(filter program,$($b_BUILT)),,$(patsubst %-full,%,$($b_BUILT:%=$b-%))))
images: ## list the images: BOARD or BOARD-PROFILE
	@echo $(IMAGES)
# README's table is of these records.
size-table: ## note the sizes of all boards in boards/*/sizes* and in README's table
	@+for m in $(IMAGES); do \
	    profile=$$(echo "$$m" | sed -n 's/.*-\(small\)$$/\1/p'); \
	    $(MAKE) BOARD="$${m%-small}" PROFILE="$$profile" RECORD=1 size || exit 1; done
	@tools/build/size-table

BOARD_LINE = printf '%-12s  %-12s  %-23s  %-11s  %s\n'
boards: ## list the boards, and how far each of them is
	@$(BOARD_LINE) BOARD BUILT TESTED 'ON HARDWARE' 'WHAT IT IS'
	@$(foreach b,$(BOARDS),$(BOARD_LINE) "$b" "$($b_BUILT)" "$($b_TESTED)" "$($b_HARDWARE)" "$($b_IS)";)

.PHONY: boards images size-table board firmware target-tests size flash debug qemu build-qemu qemu-test qemu-mixed bench
