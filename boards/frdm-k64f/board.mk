# What these mean is in tools/build/boards.mk.
BOARD_IS := NXP FRDM-K64F: Cortex-M4, 256 KB RAM, its own Ethernet; a board that people can buy
BOARD_BUILT := full
BOARD_TESTED := driver, in emulation
BOARD_HARDWARE := not yet
BOARD_OPENOCD := board/nxp_frdm-k64f.cfg
# Soft float: nothing in herd computes in floating point, and its objects run on other Arm cores, too
# (tests/rigs/sabrelite).
PORT_DIRS := port/cortex-m port/kinetis port/nxp
BOARD_CPU := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft
