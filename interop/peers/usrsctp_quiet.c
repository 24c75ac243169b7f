/*
 * Preloaded into the packaged usrsctp programs. tsctp and discard_server switch on usrsctp's whole
 * debug output (some 240 bytes of text per payload byte... see usrsctp.sh), on standard output,
 * which makes tsctp five times slower than the stack is: a baseline nobody should be proud to beat.
 * And their own lines have to reach a file at once, since the servers never end by themselves.
 */
#include <stdint.h>
#include <stdio.h>

int usrsctp_sysctl_set_sctp_debug_on(uint32_t value);

int usrsctp_sysctl_set_sctp_debug_on(uint32_t value)
{
    (void)value;
    return 0;
}

__attribute__((constructor)) static void buffer_lines(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}
