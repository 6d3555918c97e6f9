# TI Stellaris LM3S6965 evaluation board. Read by the Makefile for every board.
PORT_DIRS := port/cortex-m port/stellaris port/sdcard port/cmsdk-watchdog
BOARD_CPU := -mcpu=cortex-m3 -mthumb
