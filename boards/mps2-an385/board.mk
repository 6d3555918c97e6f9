# What these mean is in tools/build/boards.mk.
BOARD_IS := Arm MPS2 with image AN385: Cortex-M3, 192 KB RAM (small: 128 KB), LAN9118 Ethernet
BOARD_BUILT := full small
BOARD_TESTED := under QEMU
BOARD_HARDWARE := not yet
BOARD_SDCARD := SOFTWARE/herd.bin
PORT_DIRS := port/cortex-m port/lan9118 port/cmsdk-uart port/cmsdk-watchdog port/at24c port/mps2-i2c
BOARD_CPU := -mcpu=cortex-m3 -mthumb
BOARD_PROFILES := small
BOARD_QEMU := -M mps2-an385
# Unit tests that need more than the board has: two neighbours of the older kind; for the small
# profile, also three neighbours (the presets), and more than two links.
BOARD_TESTS_OUT := test_older $(if $(filter small,$(PROFILE)),test_config test_replica_older)
