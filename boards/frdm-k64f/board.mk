# NXP FRDM-K64F, Cortex-M4, ENET. Built; driver tested in emulation; not yet run on hardware.
# BOARD_CPU makes it a board to flash (tools/build/boards.mk).
# Soft float: nothing in herd computes in floating point, and its objects run on other Arm cores, too
# (tests/rigs/sabrelite).
PORT_DIRS := port/cortex-m port/kinetis port/nxp
BOARD_CPU := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft
