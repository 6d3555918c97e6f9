/* UART0, the console. K64 Sub-Family Reference Manual, chapter "Universal Asynchronous
 * Receiver/Transmitter (UART)". UART0 is clocked like the core, and has FIFOs of 8 bytes. A driver of
 * cortexm.h's uart_* functions; board.h says the pins, BOARD_UART_BAUD and BOARD_UART_ISR. */
#include <string.h>

#include "board.h"
#include "cortexm.h"
#include "kinetis.h"
#include "regs.h"

#define UART(offset) KINETIS_REG8(0x4006A000 + (offset))
#define UART_BDH     UART(0x00)
#define UART_BDL     UART(0x01)
#define UART_C1      UART(0x02)
#define UART_C2      UART(0x03)
#define UART_S1      UART(0x04)
#define UART_D       UART(0x07)
#define UART_C4      UART(0x0A)
#define UART_PFIFO   UART(0x10)
#define UART_CFIFO   UART(0x11)
#define UART_TWFIFO  UART(0x13)
#define UART_TCFIFO  UART(0x14)

#define C2_TIE      0x80u
#define C2_TE       0x08u
#define S1_TC       0x40u
#define PFIFO_TXFE  0x80u
#define CFIFO_FLUSH 0xC0u
#define FIFO_BYTES  8u
#define REFILL      2u /* TDRE, and with it the interrupt, comes at so many bytes in the FIFO */

#define UART0_IRQ  31u
#define RING_BYTES 256u

static char ring[RING_BYTES];
static volatile uint32_t written, sent; /* bytes ever; their difference is in the ring */

/* Why we are here, if it was not power or the button; and what the clocks lack. */
static void report(void)
{
    const char *words = NULL;
    uint8_t srs0 = RCM_SRS0;
    if (kinetis_clock() == KINETIS_CLOCK_NO_EXTAL) {
        words = "\r\nkinetis: no clock at EXTAL, running at 21 MHz without a network\r\n";
    } else if (kinetis_clock() == KINETIS_CLOCK_NO_LOCK) {
        words = "\r\nkinetis: the PLL does not lock, running on the external clock\r\n";
    } else if ((srs0 & RCM_SRS0_WDOG) != 0) {
        words = "\r\nkinetis: reset by the watchdog\r\n";
    } else if ((srs0 & (RCM_SRS0_LOC | RCM_SRS0_LOL)) != 0) {
        words = "\r\nkinetis: reset by the loss of a clock\r\n";
    } else if ((RCM_SRS1 & RCM_SRS1_LOCKUP) != 0) {
        words = "\r\nkinetis: reset by a fault within a fault\r\n";
    }
    if (words != NULL) {
        uart_write_now(words, strlen(words));
    }
}

void uart_start(void)
{
    SIM_SCGC4 |= SIM_SCGC4_UART0;
    kinetis_pin(BOARD_UART_PORT, BOARD_UART_RX_PIN, BOARD_UART_MUX, PORT_PCR_PE | PORT_PCR_PS);
    kinetis_pin(BOARD_UART_PORT, BOARD_UART_TX_PIN, BOARD_UART_MUX, 0);
    UART_C2 = 0;
    /* baud = clock / (16 * (SBR + BRFA / 32)): in 32nds, rounded */
    uint32_t divisor = (2 * kinetis_core_hz() + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD;
    UART_BDH = (uint8_t)(divisor / 32 >> 8 & 0x1F);
    UART_BDL = (uint8_t)(divisor / 32);
    UART_C4 = (uint8_t)(divisor % 32);
    UART_C1 = 0;             /* 8N1 */
    UART_PFIFO = PFIFO_TXFE; /* only while C2[TE] is 0 */
    UART_CFIFO = CFIFO_FLUSH;
    UART_TWFIFO = REFILL;
    UART_C2 = C2_TE;
    nvic_enable(UART0_IRQ);
    report();
}

/* Interrupts are off, or this is the ISR. */
static void feed(void)
{
    (void)UART_S1; /* reading it, then writing D, clears TDRE */
    while (written != sent && UART_TCFIFO < FIFO_BYTES) {
        UART_D = (uint8_t)ring[sent % RING_BYTES];
        sent = sent + 1;
    }
    UART_C2 = written != sent ? C2_TE | C2_TIE : C2_TE;
}

void BOARD_UART_ISR(void);
void BOARD_UART_ISR(void)
{
    feed();
}

size_t uart_write(const char *data, size_t bytes)
{
    size_t taken = 0;
    while (taken < bytes && written - sent < RING_BYTES) {
        ring[written % RING_BYTES] = data[taken++];
        written = written + 1;
    }
    irq_off();
    feed();
    irq_on();
    return taken;
}

/* Leaves interrupts as they are: a last word may be said with them off. */
void uart_write_now(const char *data, size_t bytes)
{
    while (written != sent) { /* what was written before comes first */
        uint32_t masked;
        __asm volatile("mrs %0, primask" : "=r"(masked));
        irq_off();
        feed();
        if ((masked & 1) == 0) {
            irq_on();
        }
    }
    for (; bytes > 0; bytes--) {
        while (UART_TCFIFO >= FIFO_BYTES) {
        }
        (void)UART_S1;
        UART_D = (uint8_t)*data++;
    }
    while ((UART_S1 & S1_TC) == 0) {
    }
}
