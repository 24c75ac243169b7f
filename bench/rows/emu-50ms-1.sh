# shellcheck shell=bash
#
# A round trip of 50 ms; of 100 packets one is lost.
row_emu_50ms_1()
{
    emu_row emu-50ms-1 "$1" -d 25000 -q 3125000 -l 10000
}
