# The Ethernet rig: included by the Makefile.
#
#   make rig       build/rigs/sabrelite/rig.elf: the ENET driver, lwIP and conn, as the objects that a
#                  frdm-k64f is flashed with, over a start-up for Cortex-A9
#   make rig-test  runs it under QEMU (tests/rigs/sabrelite/README.md)

RIG_BOARD := frdm-k64f
RIG_OUT := $(BUILD)/rigs/sabrelite
RIG_DIR := tests/rigs/sabrelite
rig rig-test rig-planted: BOARD_GOAL = $(MAKE) BOARD=$(RIG_BOARD) HERD=$(RIG_DIR)/pair.conf NODE=Rig \
                          KEYS=$(RIG_OUT)/keys

rig: $(OUT)/tools/herdctl ## build the rig that runs the Ethernet driver of frdm-k64f under QEMU
	@mkdir -p $(RIG_OUT) && $< keys -c $(RIG_DIR)/pair.conf $(RIG_OUT)/keys >$(RIG_OUT)/keys.log
	@+$(BOARD_GOAL) firmware $(RIG_OUT)/rig.elf $(RIG_OUT)/node.elf
rig-test: rig $(OUT)/posix/herd ## run it: echo, flood, reconnect, link down
	@$(RIG_DIR)/run-rig
rig-planted: rig ## plant bugs in the driver, one by one, and see each of them caught
	@+$(RIG_DIR)/run-planted

ifeq ($(BOARD),$(RIG_BOARD))
# Compiled for Cortex-M4, the very files of the image.
RIG_M4_SRCS := $(wildcard port/nxp/enet*.c) port/cortex-m/hal_net.c port/cortex-m/checksum.c \
               $(wildcard port/lwip/*.c) $(wildcard port/mbedtls/*.c) \
               firmware/conn.c firmware/sched.c firmware/log.c firmware/rng.c firmware/text.c \
               firmware/when.c firmware/nv.c firmware/crc.c port/noflash/hal_flash.c
RIG_M4_OBJS := $(call objects,$M,$(RIG_M4_SRCS))
# Compiled for Cortex-A9. The linker would refuse to mix the two profiles of the architecture: that is
# what build attributes are for. Our side gives them up; the M4 objects stay as they are.
RIG_A9_SRCS := $(addprefix $(RIG_DIR)/,start.S platform.c eth.c main.c)
RIG_A9_OBJS := $(addprefix $(RIG_OUT)/,$(addsuffix .o,$(notdir $(RIG_A9_SRCS))))
RIG_NXP := -iquote port/nxp -iquote port/cortex-m
RIG_A9_FLAGS := $(filter-out $(BOARD_CPU),$($M_OWN_FLAGS)) -march=armv7-a -mthumb -mfloat-abi=soft \
                $(RIG_NXP)

$(RIG_OUT)/%.o: $(RIG_DIR)/% $(OBJ)/$M/flags-own tools/build/enet.mk | $(GENERATED)
	@mkdir -p $(@D)
	@echo '  rig: $<'
	@arm-none-eabi-gcc $(RIG_A9_FLAGS) -c $< -o $@
	@arm-none-eabi-objcopy --remove-section=.ARM.attributes $@
-include $(RIG_A9_OBJS:.o=.d)

RIG_LINK := arm-none-eabi-gcc $(BOARD_CPU) --specs=nano.specs -nostartfiles -Wl,--gc-sections \
            -Wl,--fatal-warnings -Wl,-z,noexecstack
RIG_INPUTS = -T $(RIG_DIR)/rig.ld $(RIG_A9_OBJS) $(RIG_M4_OBJS) \
             -Wl,--start-group $($M_LIBS) -Wl,--end-group
$(RIG_OUT)/rig.elf: $(RIG_A9_OBJS) $(RIG_M4_OBJS) $($M_LIBS) $(RIG_DIR)/rig.ld
	@echo '  rig: $@'
	@$(RIG_DIR)/check-objects $(RIG_M4_OBJS)
	@$(RIG_LINK) -Wl,-Map=$(@:.elf=.map) -o $@ $(RIG_INPUTS)
# For run-planted, which compiles and links a changed driver in the same way.
	$(file >$(RIG_OUT)/compile,$($M_CC) $($M_OWN_FLAGS) $(RIG_NXP))
	$(file >$(RIG_OUT)/link,$(RIG_LINK) $(RIG_INPUTS))

# The whole node: every object of the image but those that touch the core or are the K64's own.
NODE_M4_OBJS := $(filter-out $(call objects,$M,$(wildcard port/kinetis/*.c) \
                  $(addprefix port/cortex-m/,boot.c clock.c crash.c idle.c startup.c vectors.c)),\
                  $($M_OWN_OBJS)) $(call objects,$M,port/noflash/hal_flash.c)
NODE_A9_OBJS := $(filter-out %/main.c.o,$(RIG_A9_OBJS)) $(RIG_OUT)/node.c.o
-include $(RIG_OUT)/node.c.d
$(RIG_OUT)/node.elf: $(NODE_A9_OBJS) $(NODE_M4_OBJS) $($M_LIBS) $(RIG_DIR)/rig.ld $(IMAGE)/herd.bin
	@echo '  rig: $@'
	@$(RIG_DIR)/check-objects $(NODE_M4_OBJS)
	@$(RIG_LINK) -o $@ -T $(RIG_DIR)/rig.ld $(NODE_A9_OBJS) $(NODE_M4_OBJS) \
	    -Wl,--start-group $($M_LIBS) -Wl,--end-group
	@arm-none-eabi-objcopy --update-section .factory=$(IMAGE)/factory.bin $@
endif

.PHONY: rig rig-test rig-planted
