# shellcheck shell=bash
#
# A round trip of 50 ms; of 1,000 packets one is lost.
row_emu_50ms_0_1()
{
    emu_row emu-50ms-0.1 "$1" -d 25000 -q 3125000 -l 1000
}
