# Arm MPS2 (AN385). Read by the Makefile for every board; firmware boards set BOARD_CPU as well.
PORT_DIRS := port/cortex-m port/lan9118 port/cmsdk-uart port/cmsdk-watchdog
BOARD_CPU := -mcpu=cortex-m3 -mthumb
BOARD_PROFILES := small
BOARD_QEMU := -M mps2-an385
BOARD_QEMU_NIC := lan9118
