# shellcheck shell=bash
#
# A round trip of 10 ms, nothing lost but where a sender overflows the queue.
row_emu_10ms()
{
    emu_row emu-10ms "$1" -d 5000 -q 625000
}
