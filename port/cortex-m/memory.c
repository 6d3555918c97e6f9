/* memcpy, memset and memcmp in words: newlib-nano's go byte by byte, and lwIP, mbedTLS and firmware/
 * spend much of their time there. The core takes words at any address (DDI 0403, A3.2.1) as long as
 * they are memory, not a device. In assembler, because of loops like these compilers make calls of the
 * functions that they are in. Tested by tests/unit/test_memory.c on the target CPU. */
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter" /* they are in r0, r1 and r2 */

__attribute__((naked)) void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    __asm volatile("mov   ip, r0\n"
                   "subs  r2, #16\n"
                   "blo   2f\n"
                   "1: ldr r3, [r1], #4\n"
                   "str   r3, [ip], #4\n"
                   "ldr   r3, [r1], #4\n"
                   "str   r3, [ip], #4\n"
                   "ldr   r3, [r1], #4\n"
                   "str   r3, [ip], #4\n"
                   "ldr   r3, [r1], #4\n"
                   "str   r3, [ip], #4\n"
                   "subs  r2, #16\n"
                   "bhs   1b\n"
                   /* Below 16 are left: bits 3 to 0 of r2, whatever its sign. */
                   "2: lsls r3, r2, #29\n"
                   "itttt cs\n"
                   "ldrcs r3, [r1], #4\n"
                   "strcs r3, [ip], #4\n"
                   "ldrcs r3, [r1], #4\n"
                   "strcs r3, [ip], #4\n"
                   "itt   mi\n"
                   "ldrmi r3, [r1], #4\n"
                   "strmi r3, [ip], #4\n"
                   "lsls  r3, r2, #31\n"
                   "itt   cs\n"
                   "ldrhcs r3, [r1], #2\n"
                   "strhcs r3, [ip], #2\n"
                   "itt   mi\n"
                   "ldrbmi r3, [r1]\n"
                   "strbmi r3, [ip]\n"
                   "bx    lr\n");
}

__attribute__((naked)) void *memset(void *to, int value, size_t bytes)
{
    __asm volatile("mov   ip, r0\n"
                   "uxtb  r1, r1\n"
                   "orr   r1, r1, r1, lsl #8\n"
                   "orr   r1, r1, r1, lsl #16\n"
                   "subs  r2, #16\n"
                   "blo   2f\n"
                   "1: str r1, [ip], #4\n"
                   "str   r1, [ip], #4\n"
                   "str   r1, [ip], #4\n"
                   "str   r1, [ip], #4\n"
                   "subs  r2, #16\n"
                   "bhs   1b\n"
                   "2: lsls r3, r2, #29\n" /* as above */
                   "itt   cs\n"
                   "strcs r1, [ip], #4\n"
                   "strcs r1, [ip], #4\n"
                   "it    mi\n"
                   "strmi r1, [ip], #4\n"
                   "lsls  r3, r2, #31\n"
                   "it    cs\n"
                   "strhcs r1, [ip], #2\n"
                   "it    mi\n"
                   "strbmi r1, [ip]\n"
                   "bx    lr\n");
}

__attribute__((naked)) int memcmp(const void *a, const void *b, size_t bytes)
{
    __asm volatile("1: subs r2, #4\n"
                   "blo   2f\n"
                   "ldr   r3, [r0], #4\n"
                   "ldr   ip, [r1], #4\n"
                   "cmp   r3, ip\n"
                   "beq   1b\n"
                   "rev   r3, r3\n" /* the first byte in memory is what counts most */
                   "rev   ip, ip\n"
                   "cmp   r3, ip\n"
                   "ite   hi\n"
                   "movhi r0, #1\n"
                   "movls r0, #-1\n"
                   "bx    lr\n"
                   "2: adds r2, #4\n"
                   "beq   4f\n"
                   "3: ldrb r3, [r0], #1\n"
                   "ldrb  ip, [r1], #1\n"
                   "subs  r3, r3, ip\n"
                   "bne   5f\n"
                   "subs  r2, #1\n"
                   "bne   3b\n"
                   "4: movs r3, #0\n"
                   "5: mov r0, r3\n"
                   "bx    lr\n");
}
