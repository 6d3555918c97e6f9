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
#define UART_RWFIFO  UART(0x15)
#define UART_RCFIFO  UART(0x16)

#define C2_TIE      0x80u
#define C2_TE       0x08u
#define C2_RIE      0x20u
#define C2_RE       0x04u
#define S1_TC       0x40u
#define S1_OR       0x08u
#define PFIFO_TXFE  0x80u
#define PFIFO_RXFE  0x08u
#define CFIFO_FLUSH 0xC0u
#define FIFO_BYTES  8u
#define REFILL      2u /* TDRE, and with it the interrupt, comes at so many bytes in the FIFO */

#define UART0_IRQ 31u

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

/* Each interrupt is asked for while it can be served: RDRF and TDRE are levels. */
static void enable_interrupts(void)
{
    UART_C2 = (uint8_t)(C2_TE | C2_RE | (uart_has_room() ? C2_RIE : 0u) |
                        (uart_has_next() ? C2_TIE : 0u));
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
    UART_C1 = 0;                          /* 8N1 */
    UART_PFIFO = PFIFO_TXFE | PFIFO_RXFE; /* only while C2[TE] and C2[RE] are 0 */
    UART_CFIFO = CFIFO_FLUSH;
    UART_TWFIFO = REFILL;
    UART_RWFIFO = 1; /* RDRF, and with it the interrupt, with the first byte */
    enable_interrupts();
    nvic_enable(UART0_IRQ);
    report();
}

void uart_feed(void)
{
    char byte;
    (void)UART_S1; /* reading it, then writing D, clears TDRE */
    while (UART_TCFIFO < FIFO_BYTES && uart_next(&byte)) {
        UART_D = (uint8_t)byte;
    }
    enable_interrupts();
}

void uart_collect(void)
{
    if ((UART_S1 & S1_OR) != 0) { /* reading it, then D, clears RDRF and the errors */
        uart_overrun();
    }
    while (uart_has_room() && UART_RCFIFO > 0) {
        uart_received((char)UART_D);
    }
    enable_interrupts();
}

void BOARD_UART_ISR(void);
void BOARD_UART_ISR(void)
{
    uart_collect();
    uart_feed();
}

void uart_send_now(const char *data, size_t bytes)
{
    for (; bytes > 0; bytes--) {
        while (UART_TCFIFO >= FIFO_BYTES) {
        }
        (void)UART_S1;
        UART_D = (uint8_t)*data++;
    }
    while ((UART_S1 & S1_TC) == 0) {
    }
}
