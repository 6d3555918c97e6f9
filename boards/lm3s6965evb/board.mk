# What these mean is in tools/build/boards.mk.
BOARD_IS := TI Stellaris LM3S6965 evaluation board: Cortex-M3, 64 KB RAM, no upstream of its own
BOARD_BUILT := full
BOARD_TESTED := under QEMU
BOARD_HARDWARE := not yet
BOARD_OPENOCD := board/ek-lm3s6965.cfg
PORT_DIRS := port/cortex-m port/stellaris port/sdcard port/cmsdk-watchdog
BOARD_CPU := -mcpu=cortex-m3 -mthumb
BOARD_QEMU := -M lm3s6965evb
# Unit tests that need more than the board has: RAM, an upstream, two neighbours of the older kind. They
# run on the same core with mps2-an385.
BOARD_TESTS_OUT := test_card_area test_eeprom test_frames test_json test_json_stream test_older test_older_lines \
                   test_places test_places_budget test_places_google test_sdcard \
                   test_flash_double test_nv test_rng test_setup test_console test_keys
