# Start of a program under qemu-riscv32's user mode; picolibc's own writes mstatus, which is not there.
    .section .text.start
    .global _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la tp, thread_area
    call __libc_init_array
    li a0, 0
    li a1, 0
    call main
    call exit

    .bss
    .balign 16
thread_area:
    .space 4096
    .global __heap_start
    .global __heap_end
__heap_start:
    .space 64 * 1024 * 1024
__heap_end:
