# What each unit test is linked with; the Makefile reads this file.
#
# tests/unit/test_NAME.c is one program, built with cmocka. One line per test that needs more than
# firmware/NAME.c (the default):
#   test_NAME_SRCS   := files linked with it, from firmware/, port/ or tools/
#   test_NAME_CFLAGS := extra flags for test_NAME.c alone
#   test_NAME_LDLIBS := extra libraries
# Firmware objects are those of the posix board. hal_panic comes from tests/unit/unit.h.

test_text_SRCS := firmware/text.c
test_when_SRCS := firmware/when.c firmware/text.c
test_geo_SRCS := firmware/geo.c firmware/text.c
test_proto_SRCS := firmware/proto.c firmware/geo.c firmware/when.c firmware/text.c
test_names_SRCS := firmware/names.c $(test_proto_SRCS)
test_clients_SRCS := firmware/clients.c $(test_names_SRCS)
test_frames_SRCS := firmware/frames.c $(test_names_SRCS)
test_replica_SRCS := firmware/replica.c $(test_clients_SRCS)
test_replica_links_SRCS := $(test_replica_SRCS)
config_SRCS := firmware/config.c firmware/config_keys.c firmware/config_links.c firmware/config_make.c \
               firmware/config_nodes.c
test_config_SRCS := $(config_SRCS) $(test_proto_SRCS)
test_keys_SRCS := firmware/keys.c $(test_proto_SRCS)
test_frame_queue_SRCS := port/posix/frame_queue.c
test_lwip_hooks_SRCS := port/lwip/lwip_hooks.c
test_lwip_checksum_SRCS := port/lwip/lwip_checksum.c

test_json_SRCS := firmware/json.c firmware/text.c
test_json_stream_SRCS := firmware/json_stream.c firmware/text.c
test_https_reader_SRCS := firmware/https_reader.c firmware/text.c
test_places_budget_SRCS := firmware/places_budget.c firmware/text.c
test_places_google_SRCS := firmware/places_google.c firmware/places_entry.c firmware/places_verdict.c \
                           firmware/json.c firmware/json_stream.c firmware/text.c
test_places_SRCS := firmware/places.c firmware/places_format.c firmware/places_upstream.c firmware/places_budget.c \
                    $(test_places_google_SRCS)
test_log_SRCS := firmware/log.c firmware/sched.c firmware/when.c firmware/text.c

test_sdcard_SRCS := port/sdcard/sdcard.c
test_sdcard_CFLAGS := -iquote port/sdcard
test_card_area_SRCS := port/sdcard/hal_flash.c port/sdcard/sdcard.c
test_card_area_CFLAGS := -iquote port/sdcard
test_uart_ring_SRCS := port/cortex-m/uart_ring.c
test_eeprom_SRCS := port/at24c/hal_flash.c port/at24c/at24c.c port/at24c/i2c.c tests/unit/eeprom_model.c \
                    firmware/nv.c firmware/crc.c
test_eth_fifo_CFLAGS := -iquote port/cortex-m
test_older_lines_SRCS := firmware/older_lines.c $(test_proto_SRCS)
test_replica_older_SRCS := $(test_replica_SRCS)
test_older_SRCS := firmware/older.c firmware/older_lines.c firmware/backoff.c $(test_replica_SRCS)
test_crc_SRCS := firmware/crc.c
test_flash_double_SRCS := tests/unit/flash_double.c
test_nv_SRCS := firmware/nv.c firmware/crc.c tests/unit/flash_double.c
test_console_edit_SRCS := firmware/console_edit.c firmware/text.c
test_rng_SRCS := firmware/rng.c firmware/text.c $(test_nv_SRCS)
test_sim_order_SRCS := tests/sim/order.c
test_sim_order_CFLAGS := -iquote tests/sim
test_clocks_SRCS := firmware/clocks.c firmware/skew.c $(test_log_SRCS)
test_wall_SRCS := firmware/wall.c $(test_log_SRCS)
test_setup_SRCS := firmware/setup.c firmware/keys.c $(config_SRCS) firmware/log.c \
                   firmware/sched.c $(test_proto_SRCS) $(test_nv_SRCS)
test_console_SRCS := firmware/console.c firmware/console_edit.c firmware/console_commands.c \
                     firmware/console_config.c firmware/console_links.c firmware/replica.c firmware/clients.c \
                     firmware/names.c $(test_setup_SRCS)
test_ask_SRCS := firmware/ask.c $(test_frames_SRCS)
test_answer_SRCS := firmware/answer.c $(test_frames_SRCS)

# Drivers of NXP's blocks against register models (port/nxp/mmio.h)
test_ftfe_SRCS := port/nxp/ftfe.c tests/unit/ftfe_model.c
test_rnga_SRCS := port/nxp/rnga.c tests/unit/rnga_model.c
test_enet_SRCS := port/nxp/enet.c port/nxp/enet_phy.c tests/unit/enet_model.c

test_tls_link_SRCS := firmware/tls_link.c firmware/tls.c firmware/tls_memory.c port/mbedtls/mbedtls_port.c \
                      $(test_log_SRCS)
test_tls_memory_SRCS := firmware/tls_memory.c
