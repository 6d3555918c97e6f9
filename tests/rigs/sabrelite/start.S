/* From reset to C on a Cortex-A9, and its exceptions. QEMU starts the core in SVC mode, ARM state, with
 * the MMU off. Everything else is Thumb: SCTLR.TE makes exceptions so, too. */
    .syntax unified
    .arch armv7-a

    .section .start, "ax"
    .arm
    .global start
start:
    cpsid   if
    ldr     sp, =ld_stack_end
    mrc     p15, 0, r0, c1, c0, 0
    bic     r0, r0, #0x2000         @ V: vectors where VBAR says
    bic     r0, r0, #0x0002         @ A: unaligned accesses are fine, once the MMU is on
    orr     r0, r0, #0x40000000     @ TE: exceptions are taken in Thumb state
    mcr     p15, 0, r0, c1, c0, 0
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0
    isb
    ldr     r0, =ld_bss_start
    ldr     r1, =ld_bss_end
    mov     r2, #0
1:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     1b
    ldr     r0, =rig_start
    bx      r0

    .text
    .thumb
    .balign 32
vectors:
    b.w     fault
    b.w     undefined
    b.w     fault
    b.w     fault
    b.w     fault
    b.w     fault
    b.w     interrupt
    b.w     fault

/* All on the SVC stack, aligned to 8. */
    .thumb_func
interrupt:
    sub     lr, lr, #4
    srsdb   sp!, #19
    cps     #19
    push    {r0-r3, r12, lr}
    mov     r1, sp
    and     r1, r1, #4
    sub     sp, sp, r1
    push    {r1, r2}
    bl      rig_interrupt
    pop     {r1, r2}
    add     sp, sp, r1
    pop     {r0-r3, r12, lr}
    rfeia   sp!

/* Where the interrupted code's registers are saved, and may be changed: r0-r12, lr, pc + 2, PSR. */
    .thumb_func
undefined:
    srsdb   sp!, #19
    cps     #19
    push    {r0-r12, lr}
    mov     r4, sp
    bic     r0, r4, #7
    mov     sp, r0
    mov     r0, r4
    bl      rig_undefined
    mov     sp, r4
    pop     {r0-r12, lr}
    rfeia   sp!

    .thumb_func
fault:
    mov     r0, lr
    cps     #19
    ldr     sp, =ld_stack_end
    bl      rig_fault
1:  b       1b

    .end
