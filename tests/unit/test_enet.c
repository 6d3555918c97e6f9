/* The Ethernet driver against a register model: what tests/rigs/sabrelite cannot see, because QEMU's model
 * of the controller is more patient than silicon, and what it cannot provoke. First the model itself. */
#include "unit.h"

#include "lwip/init.h"
#include "lwip/ip_addr.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"

#include "../../port/nxp/enet_port.h"
#include "../../port/nxp/enet_regs.h"
#include "../../port/nxp/mmio.h"
#include "enet_model.h"
#include "lwip_hooks.h"
#include "rng.h"

#define RX BOARD_ENET_RX_FRAMES
#define TX BOARD_ENET_TX_FRAMES

static struct enet enet;
static const struct enet_config config = {.base = ENET_MODEL_BASE,
                                          .clock_hz = 120000000,
                                          .phy = ENET_MODEL_PHY,
                                          .mac = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};

/* What lwIP's archive refers to. */
u32_t sys_now(void)
{
    return 0;
}

uint32_t rng_u32(void)
{
    return 4;
}

u32_t lwip_hooks_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                         u16_t remote_port)
{
    (void)local_ip;
    (void)remote_ip;
    return (u32_t)local_port + remote_port;
}

static int set_up(void **state)
{
    (void)state;
    memp_init();
    enet_model_reset();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (enet_model.violations != 0) {
        print_error("%s\n", enet_model.why);
    }
    return enet_model.violations == 0 && !enet_model.phy_was_reset ? 0 : -1;
}

static int set_up_running(void **state)
{
    (void)set_up(state);
    bool more;
    assert_true(enet_start(&enet, &config, &enet_model_rings));
    assert_true(enet_poll_link(&enet));
    assert_null(enet_receive(&enet, &more));
    assert_false(more);
    return 0;
}

static void fill(uint8_t *frame, size_t bytes, uint32_t seed)
{
    for (size_t i = 0; i < bytes; i++) {
        frame[i] = (uint8_t)(seed * 7 + i * 13 + i / 200);
    }
}

/* A chain of pieces with the frame behind ETH_PAD_SIZE bytes. */
static struct pbuf *chain(const uint8_t *frame, size_t bytes, size_t piece)
{
    struct pbuf *p = NULL;
    size_t total = bytes + ETH_PAD_SIZE;
    for (size_t at = 0; at < total;) {
        size_t part = total - at < piece ? total - at : piece;
        struct pbuf *q = pbuf_alloc(PBUF_RAW, (u16_t)part, PBUF_POOL);
        assert_non_null(q);
        if (p == NULL) {
            p = q;
        } else {
            pbuf_cat(p, q);
        }
        at += part;
    }
    assert_int_equal(pbuf_take_at(p, frame, (u16_t)bytes, ETH_PAD_SIZE), ERR_OK);
    return p;
}

static bool send(size_t bytes, size_t piece, uint32_t seed)
{
    uint8_t frame[1600];
    fill(frame, bytes, seed);
    struct pbuf *p = chain(frame, bytes, piece);
    bool sent = enet_send(&enet, p);
    pbuf_free(p);
    return sent;
}

static void receive_and_check(size_t bytes, uint32_t seed)
{
    uint8_t frame[1600];
    bool more;
    fill(frame, bytes, seed);
    struct pbuf *p = enet_receive(&enet, &more);
    assert_non_null(p);
    assert_true(more);
    assert_int_equal(p->tot_len, bytes + ETH_PAD_SIZE);
    assert_int_equal(pbuf_memcmp(p, ETH_PAD_SIZE, frame, (u16_t)bytes), 0);
    pbuf_free(p);
}

static bool arrive(size_t bytes, uint32_t seed)
{
    uint8_t frame[1600];
    fill(frame, bytes, seed);
    return enet_model_receive(frame, bytes, 0, 0);
}

static void assert_no_frame(void)
{
    bool more = true;
    assert_null(enet_receive(&enet, &more));
    assert_false(more);
}

/* --- The model --------------------------------------------------------------------------------- */

static void assert_violation(const char *why)
{
    assert_true(enet_model.violations > 0);
    assert_string_equal(enet_model.why, why);
    enet_model.violations = 0;
}

static void model_objects_to_big_endian_descriptors_and_to_mii(void **state)
{
    (void)state;
    uint32_t ecr = enet_model_register(ENET_ECR);
    mmio_write32(ENET_MODEL_BASE + ENET_ECR, ecr & ~ENET_ECR_ETHEREN);
    mmio_write32(ENET_MODEL_BASE + ENET_ECR, ecr & ~ENET_ECR_DBSWP);
    assert_violation("descriptors would be taken for big-endian");
    mmio_write32(ENET_MODEL_BASE + ENET_ECR, ecr & ~ENET_ECR_ETHEREN);
    mmio_write32(ENET_MODEL_BASE + ENET_RCR, 0x05F20004);
    mmio_write32(ENET_MODEL_BASE + ENET_ECR, ecr);
    assert_violation("RMII and MII mode");
}

static void model_objects_to_configuration_while_running_and_to_early_rdar(void **state)
{
    (void)state;
    mmio_write32(ENET_MODEL_BASE + ENET_TCR, 4);
    assert_violation("configuration was changed while the MAC runs");
    mmio_write32(ENET_MODEL_BASE + ENET_ECR, ENET_ECR_DBSWP);
    mmio_write32(ENET_MODEL_BASE + ENET_RDAR, ENET_RDAR_RDAR);
    assert_violation("RDAR has no effect before ETHEREN");
}

static void model_objects_to_a_descriptor_given_too_early(void **state)
{
    (void)state;
    enet_model_rings.tx[0].word[0] = 0;
    enet_port_barrier();
    enet_model_rings.tx_buffer[0][5] ^= 1;
    enet_model_rings.tx[0].word[0] = ENET_TX_R;
    enet_port_barrier();
    assert_violation("a descriptor was given away before the rest of it was visible");
}

static void model_objects_to_a_fast_mdc(void **state)
{
    (void)state;
    mmio_write32(ENET_MODEL_BASE + ENET_MSCR, 22 << 1); /* 120 MHz / 46 */
    mmio_write32(ENET_MODEL_BASE + ENET_MMFR, 0x60000000 | ENET_MODEL_PHY << 23 | 2u << 16);
    assert_violation("MDC is off or above 2.5 MHz");
}

static void model_loses_frames_when_no_descriptor_is_empty_until_rdar(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RX; i++) {
        assert_true(arrive(60, i));
    }
    assert_false(arrive(60, 9));
    enet_model_rings.rx[0].word[2] = ENET_RX2_INT;
    enet_model_rings.rx[0].word[0] = ENET_RX_E;
    assert_false(arrive(60, 9)); /* nobody told it */
    mmio_write32(ENET_MODEL_BASE + ENET_RDAR, ENET_RDAR_RDAR);
    assert_true(arrive(60, 9));
    assert_int_equal(enet_model.lost, 2);
}

/* --- Start, PHY, link -------------------------------------------------------------------------- */

static void start_sets_the_address_in_its_order(void **state)
{
    (void)state;
    assert_true(enet_start(&enet, &config, &enet_model_rings));
    assert_int_equal(enet_model_register(ENET_PALR), 0x02112233);
    assert_int_equal(enet_model_register(ENET_PAUR) >> 16, 0x4455);
    assert_int_equal(enet_model_register(ENET_RACC), ENET_RACC_SHIFT16);
    assert_int_equal(enet_model_register(ENET_ECR) & ENET_ECR_ETHEREN, 0);
}

static void start_divides_every_clock_to_mdc(void **state)
{
    (void)state;
    for (uint32_t hz = 5000000; hz <= 320000000; hz += 1234567) {
        struct enet_config c = config;
        enet_model_reset();
        c.clock_hz = hz;
        enet_model.clock_hz = hz;
        assert_true(enet_start(&enet, &c, &enet_model_rings));
    }
}

static void start_fails_without_a_phy_or_out_of_reset(void **state)
{
    struct enet_config c = config;
    (void)state;
    c.phy = ENET_MODEL_PHY + 1;
    assert_false(enet_start(&enet, &c, &enet_model_rings));
    enet_model.mdio_hangs = true;
    assert_false(enet_start(&enet, &config, &enet_model_rings));
    assert_int_equal(enet.counters.mdio_errors, 1);
    enet_model_reset();
    enet_model.stuck_in_reset = true;
    assert_false(enet_start(&enet, &config, &enet_model_rings));
}

static void nothing_is_sent_or_received_without_a_link(void **state)
{
    (void)state;
    enet_model.link = false;
    assert_true(enet_start(&enet, &config, &enet_model_rings));
    assert_false(enet_poll_link(&enet));
    assert_false(send(60, 100, 1));
    assert_no_frame();
    assert_int_equal(enet_model_register(ENET_ECR) & ENET_ECR_ETHEREN, 0);
}

static void the_mac_is_set_to_what_was_negotiated(void **state)
{
    static const struct {
        uint16_t partner;
        enum enet_speed speed;
        bool full;
    } cases[] = {
        {0x01E1, ENET_100, true}, {0x00A1, ENET_100, false}, {0x0080, ENET_100, false},
        {0x0061, ENET_10, true},  {0x0021, ENET_10, false},  {0x0020, ENET_10, false},
        {0x0141, ENET_100, true}, {0x00E1, ENET_100, false},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enet_model_reset();
        enet_model.partner = cases[i].partner;
        assert_true(enet_start(&enet, &config, &enet_model_rings));
        assert_true(enet_poll_link(&enet));
        assert_int_equal(enet.speed, cases[i].speed);
        assert_int_equal(enet.full_duplex, cases[i].full);
        uint32_t rcr = enet_model_register(ENET_RCR);
        assert_int_equal((rcr & ENET_RCR_RMII_10T) != 0, cases[i].speed == ENET_10);
        assert_int_equal((rcr & ENET_RCR_DRT) != 0, !cases[i].full);
        assert_int_equal(enet_model_register(ENET_TCR), cases[i].full ? ENET_TCR_FDEN : 0);
    }
}

static void a_phy_that_can_less_than_its_partner_decides(void **state)
{
    (void)state;
    enet_model.able = 0x0061;
    assert_true(enet_start(&enet, &config, &enet_model_rings));
    assert_true(enet_poll_link(&enet));
    assert_int_equal(enet.speed, ENET_10);
    assert_true(enet.full_duplex);
}

static void a_link_that_changes_its_speed_starts_the_mac_anew(void **state)
{
    (void)state;
    assert_true(arrive(60, 1)); /* not yet taken when the link goes */
    enet_model.partner = 0x0061;
    enet_model.link_fell = true;
    assert_false(enet_poll_link(&enet));
    assert_no_frame();
    assert_true(enet_poll_link(&enet));
    assert_int_equal(enet.speed, ENET_10);
    assert_int_equal(enet.counters.link_ups, 2);
    assert_no_frame();
    assert_true(arrive(100, 2));
    receive_and_check(100, 2);
    assert_true(send(100, 50, 3));
    assert_int_equal(enet_model.sent, 1);
}

static void frames_that_wait_when_the_link_goes_are_dropped_and_counted(void **state)
{
    (void)state;
    enet_model.tx_holds = true;
    assert_true(send(60, 100, 1));
    assert_true(send(60, 100, 2));
    enet_model.link = false;
    assert_false(enet_poll_link(&enet));
    assert_int_equal(enet.counters.tx_errors, 2);
    enet_model.link = true;
    enet_model.tx_holds = false;
    assert_true(enet_poll_link(&enet));
    assert_true(send(77, 100, 3));
    assert_int_equal(enet_model.sent, 1);
    assert_int_equal(enet_model.last_bytes, 77);
}

/* --- Frames ------------------------------------------------------------------------------------ */

static void frames_of_every_length_go_out_whole(void **state)
{
    uint8_t frame[1600];
    uint32_t sent = 0;
    (void)state;
    for (size_t bytes = 14; bytes <= 1518; bytes++) {
        assert_true(send(bytes, 40 + bytes % 700, (uint32_t)bytes));
        fill(frame, bytes, (uint32_t)bytes);
        assert_int_equal(enet_model.sent, ++sent);
        assert_int_equal(enet_model.last_bytes, bytes);
        assert_memory_equal(enet_model.last, frame, bytes);
    }
    assert_false(send(13, 100, 1));
    assert_false(send(1519, 1600, 1));
    assert_int_equal(enet_model.sent, sent);
}

static void frames_of_every_length_come_in_whole(void **state)
{
    (void)state;
    for (size_t bytes = 14; bytes <= 1518; bytes++) {
        assert_true(arrive(bytes, (uint32_t)bytes));
        receive_and_check(bytes, (uint32_t)bytes);
    }
    assert_no_frame();
    assert_int_equal(enet.counters.rx_frames, 1505);
}

static void a_full_receive_ring_is_taken_in_order_and_goes_on(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < RX; i++) {
            assert_true(arrive(60 + i, i));
        }
        assert_false(arrive(60, 99));
        for (unsigned i = 0; i < RX; i++) {
            receive_and_check(60 + i, i);
        }
        assert_no_frame();
    }
}

static void a_bad_frame_is_dropped_and_the_next_is_not(void **state)
{
    static const struct {
        uint32_t status, word2;
        size_t bytes;
    } cases[] = {
        {ENET_RX_CR, 0, 60}, {ENET_RX_NO, 0, 60}, {ENET_RX_LG, 0, 1518}, {ENET_RX_TR, 0, 1518},
        {ENET_RX_OV, 0, 60}, {ENET_RX_L, 0, 60},  {0, ENET_RX2_PE, 60},  {0, ENET_RX2_ME, 60},
        {0, 0, 13},          {0, 0, 0},
    };
    uint8_t frame[1600] = {0};
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool more = false;
        assert_true(enet_model_receive(frame, cases[i].bytes, cases[i].status, cases[i].word2));
        assert_true(arrive(64, i));
        assert_null(enet_receive(&enet, &more));
        assert_true(more);
        assert_int_equal(enet.counters.rx_errors, i + 1);
        receive_and_check(64, i);
    }
}

static void without_a_pbuf_a_frame_is_dropped_and_counted(void **state)
{
#if MEMP_MEM_MALLOC
    (void)state; /* under AddressSanitizer there are no pools that could be empty */
#else
    struct pbuf *taken[PBUF_POOL_SIZE];
    bool more = false;
    (void)state;
    for (unsigned i = 0; i < PBUF_POOL_SIZE; i++) {
        taken[i] = pbuf_alloc(PBUF_RAW, 10, PBUF_POOL);
    }
    assert_true(arrive(60, 1));
    assert_null(enet_receive(&enet, &more));
    assert_true(more);
    assert_int_equal(enet.counters.rx_no_pbuf, 1);
    for (unsigned i = 0; i < PBUF_POOL_SIZE; i++) {
        pbuf_free(taken[i]);
    }
    assert_true(arrive(60, 2));
    receive_and_check(60, 2);
#endif
}

static void a_full_transmit_ring_refuses_within_bounds_and_goes_on(void **state)
{
    (void)state;
    enet_model.tx_holds = true;
    for (unsigned i = 0; i < TX; i++) {
        assert_true(send(60 + i, 100, i));
    }
    assert_false(send(99, 100, 9));
    assert_int_equal(enet.counters.tx_full, 1);
    enet_model.tx_holds = false;
    assert_true(send(100, 100, 10)); /* the stalled ring is started on the way */
    assert_int_equal(enet_model.sent, TX + 1);
    assert_int_equal(enet_model.last_bytes, 100);
    assert_no_frame(); /* which also takes back what was sent */
    assert_int_equal(enet.counters.tx_frames, TX + 1);
}

static void a_lost_write_to_tdar_is_made_up_for(void **state)
{
    (void)state;
    enet_model.lose_tdar = true;
    assert_true(send(60, 100, 1));
    assert_int_equal(enet_model.sent, 0);
    assert_no_frame();
    assert_int_equal(enet_model.sent, 1);
    assert_int_equal(enet.counters.tx_kicks, 1);
}

static void transmit_errors_are_counted(void **state)
{
    (void)state;
    enet_model.tx_error = 1;
    assert_true(send(60, 100, 1));
    assert_true(send(60, 100, 2));
    assert_no_frame();
    assert_int_equal(enet.counters.tx_errors, 1);
    assert_int_equal(enet.counters.tx_frames, 1);
}

/* --- Interrupts, bus errors -------------------------------------------------------------------- */

static void the_interrupt_silences_itself_until_the_ring_is_empty(void **state)
{
    (void)state;
    assert_false(enet_model_interrupts());
    assert_false(enet_irq(&enet)); /* somebody else's */
    assert_true(arrive(60, 1));
    assert_true(arrive(60, 2));
    assert_true(enet_model_interrupts());
    assert_true(enet_irq(&enet));
    assert_false(enet_model_interrupts());
    receive_and_check(60, 1);
    assert_false(enet_model_interrupts());
    receive_and_check(60, 2);
    assert_no_frame();
    assert_false(enet_model_interrupts());
    assert_true(arrive(60, 3));
    assert_true(enet_model_interrupts());
    assert_int_equal(enet.counters.interrupts, 1);
}

/* It came after the look at the ring and before the event was cleared, so that its own event is gone. */
static void one_more(void)
{
    enet_model.on_rxf_cleared = NULL;
    assert_true(arrive(60, 5));
    mmio_write32(ENET_MODEL_BASE + ENET_EIR, ENET_INT_RXF);
}

static void a_frame_that_comes_while_the_event_is_cleared_is_not_lost(void **state)
{
    (void)state;
    enet_model.on_rxf_cleared = one_more;
    receive_and_check(60, 5);
    assert_no_frame();
}

static void a_bus_error_starts_the_mac_anew(void **state)
{
    (void)state;
    assert_true(arrive(60, 1));
    enet_model_bus_error();
    assert_true(enet_model_interrupts());
    assert_true(enet_irq(&enet));
    receive_and_check(60, 1);
    assert_no_frame();
    assert_int_equal(enet.counters.bus_errors, 1);
    assert_true(arrive(60, 2));
    assert_true(enet_model_interrupts());
    receive_and_check(60, 2);
    assert_true(send(60, 10, 3));
    assert_int_equal(enet_model.sent, 1);
}

int main(void)
{
#define TEST(f)    cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define RUNNING(f) cmocka_unit_test_setup_teardown(f, set_up_running, tear_down)
    const struct CMUnitTest tests[] = {
        RUNNING(model_objects_to_big_endian_descriptors_and_to_mii),
        RUNNING(model_objects_to_configuration_while_running_and_to_early_rdar),
        RUNNING(model_objects_to_a_descriptor_given_too_early),
        RUNNING(model_objects_to_a_fast_mdc),
        RUNNING(model_loses_frames_when_no_descriptor_is_empty_until_rdar),
        TEST(start_sets_the_address_in_its_order),
        TEST(start_divides_every_clock_to_mdc),
        TEST(start_fails_without_a_phy_or_out_of_reset),
        TEST(nothing_is_sent_or_received_without_a_link),
        TEST(the_mac_is_set_to_what_was_negotiated),
        TEST(a_phy_that_can_less_than_its_partner_decides),
        RUNNING(a_link_that_changes_its_speed_starts_the_mac_anew),
        RUNNING(frames_that_wait_when_the_link_goes_are_dropped_and_counted),
        RUNNING(frames_of_every_length_go_out_whole),
        RUNNING(frames_of_every_length_come_in_whole),
        RUNNING(a_full_receive_ring_is_taken_in_order_and_goes_on),
        RUNNING(a_bad_frame_is_dropped_and_the_next_is_not),
        RUNNING(without_a_pbuf_a_frame_is_dropped_and_counted),
        RUNNING(a_full_transmit_ring_refuses_within_bounds_and_goes_on),
        RUNNING(a_lost_write_to_tdar_is_made_up_for),
        RUNNING(transmit_errors_are_counted),
        RUNNING(the_interrupt_silences_itself_until_the_ring_is_empty),
        RUNNING(a_frame_that_comes_while_the_event_is_cleared_is_not_lost),
        RUNNING(a_bus_error_starts_the_mac_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
