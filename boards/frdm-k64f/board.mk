# NXP FRDM-K64F. Read by the Makefile for every board; firmware boards set BOARD_CPU as well.
# Soft float: nothing in herd computes in floating point, and its objects run on other Arm cores, too
# (tests/rigs/sabrelite).
PORT_DIRS := port/cortex-m port/kinetis port/nxp
BOARD_CPU := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft
