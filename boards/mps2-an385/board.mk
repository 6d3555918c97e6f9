# Arm MPS2 with the AN385 image: Cortex-M3, LAN9118 Ethernet. Tested under QEMU.
# BOARD_CPU makes it a board to flash (tools/build/boards.mk).
PORT_DIRS := port/cortex-m port/lan9118 port/cmsdk-uart port/cmsdk-watchdog
BOARD_CPU := -mcpu=cortex-m3 -mthumb
BOARD_PROFILES := small
BOARD_QEMU := -M mps2-an385
# Unit tests that need more than the board has: two neighbours of the older kind; for the small
# profile, also three neighbours (the presets), and more than two links.
BOARD_TESTS_OUT := test_older $(if $(filter small,$(PROFILE)),test_config test_replica_older)
