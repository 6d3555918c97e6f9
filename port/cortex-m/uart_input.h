/* What a UART's ISR has received, until the console reads it: one writer (the ISR), one reader (a task). */
#ifndef CORTEXM_UART_INPUT_H
#define CORTEXM_UART_INPUT_H

/* From the ISR: keeps a byte, or drops it when the ring is full, and wakes the node. */
void uart_input_put(char byte);

#endif
