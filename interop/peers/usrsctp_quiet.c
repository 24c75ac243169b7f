/*
 * Preloaded into the packaged usrsctp programs. tsctp and discard_server switch on usrsctp's whole
 * debug output, on standard output: more text than payload, at a third of the speed, which would
 * make tsctp a baseline that proves nothing. And their own lines have to reach a file at once,
 * since the servers never end by themselves.
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
