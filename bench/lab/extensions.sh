# shellcheck shell=bash
#
# The example extensions at work. To be sourced, after page.sh; each function writes its part of the
# page.
#
#   lab_fec          lab_delaycc          lab_redundant
#
# LAB_HAWSER, LAB_SEEDS and LAB_SETS are as for bench/papers/papers.sh; LAB_EXTENSIONS is where the shared
# objects are, LAB_SCENARIOS where their scenarios are.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Usage: lab_run SCENARIO OPTION..
lab_run()
{
    "$LAB_HAWSER" sim --seeds "$LAB_SEEDS" "${LAB_SETS[@]}" "${@:2}" "$1.sim" >/dev/null
}

# ---- fec ----

# Extensions, loss, 99th percentile and longest delay in ms, retransmissions, MB sent.
lab_fec_rows()
{
    local metric
    for metric in latency_p99 latency_max retransmissions packet_bytes; do
        page_pick "$PAGE_DIR/fec.csv" association a forward "$metric" >"$PAGE_DIR/fec.$metric"
    done
    paste "$PAGE_DIR/fec".{latency_p99,latency_max,retransmissions,packet_bytes} | awk -F'\t' '{
        printf "%s\t%s\t%.1f\t%.1f\t%.0f\t%.2f\n", $1, $2, $3 / 1000, $7 / 1000, $11, $15 / 1e6
    }'
}

lab_fec()
{
    page_heading "fec: repairing losses without retransmissions"
    page_text <<'END'
Messages of 500 bytes every 5 ms, 50 ms round trip; a PARITY chunk after every five packets (<code>examples/extensions/fec.c</code>).
END
    lab_run "$LAB_DIR/fec" --extension "$LAB_EXTENSIONS/fec.so" --csv "$PAGE_DIR/fec.csv"
    lab_fec_rows >"$PAGE_DIR/fec.rows"
    grep '^none' "$PAGE_DIR/fec.rows" >"$PAGE_DIR/fec.off"
    grep '^fec' "$PAGE_DIR/fec.rows" >"$PAGE_DIR/fec.on"
    page_picture fec "99th percentile of the delay of messages." <<'END'
set xlabel "loss / %"
set ylabel "ms"
set yrange [0:]
loss(text) = real(text[1:strlen(text)-1])
plot "fec.off" using (loss(strcol(2))):3 with linespoints lw 2 title "SCTP", \
    "fec.on" using (loss(strcol(2))):3 with linespoints lw 2 title "SCTP with fec"
END
    paste "$PAGE_DIR/fec.off" "$PAGE_DIR/fec.on" | awk -F'\t' '{
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f %%\n", $2, $3, $9, $4, $10, $5, $11, 100 * ($12 / $6 - 1)
    }' | page_table "loss" "p99, ms" "with fec" "longest, ms" "with fec" "retransmissions" "with fec" \
        "bytes more with fec"
}

# ---- delaycc ----

lab_delaycc()
{
    local a b queue jain
    page_heading "delaycc: congestion control by delay"
    page_text <<'END'
Two associations share 20 Mbit/s with a round trip of 40 ms and a queue of four bandwidth-delay products, the second five seconds later
(<code>examples/extensions/delaycc.c</code>).
END
    lab_run "$LAB_SCENARIOS/delaycc" --extension "$LAB_EXTENSIONS/delaycc.so" --csv "$PAGE_DIR/delaycc.csv"
    a=$PAGE_DIR/delaycc.a b=$PAGE_DIR/delaycc.b queue=$PAGE_DIR/delaycc.queue jain=$PAGE_DIR/delaycc.jain
    page_pick "$PAGE_DIR/delaycc.csv" association a forward goodput >"$a"
    page_pick "$PAGE_DIR/delaycc.csv" association b forward goodput >"$b"
    page_pick "$PAGE_DIR/delaycc.csv" link line forward queue_mean >"$queue"
    page_pick "$PAGE_DIR/delaycc.csv" fairness "" forward jain >"$jain"
    paste "$a" "$b" "$queue" "$jain" | awk -F'\t' '{
        printf "%s, %s\t%.2f\t%.2f\t%.1f\t%.3f\n", $1, $2, $3 / 1e6, $7 / 1e6, $11 / 1000, $15
    }' >"$PAGE_DIR/delaycc.table"
    page_picture delaycc "Goodput of both, and how long a packet waits in the queue in the mean." <<'END'
set style data histograms
set style fill solid 0.8
set ylabel "Mbit/s"
set y2label "ms"
set y2tics
set yrange [0:]
set y2range [0:]
set datafile separator "\t"
plot "delaycc.table" using 2:xtic(1) title "first", "" using 3 title "second", \
    "" using 4 axes x1y2 with linespoints lw 2 title "queue, ms"
END
    page_table "controllers" "first, Mbit/s" "second, Mbit/s" "queue, ms" "Jain's index" \
        <"$PAGE_DIR/delaycc.table"
}

# ---- redundant ----

lab_redundant()
{
    page_heading "redundant: urgent messages on two paths"
    page_text <<'END'
200 bytes every 20 ms over two links, the first of which loses bursts of packets and is gone for 3 seconds
(<code>examples/extensions/redundant.c</code>).
END
    lab_run "$LAB_SCENARIOS/redundant" --extension "$LAB_EXTENSIONS/redundant.so" --csv "$PAGE_DIR/redundant.csv"
    local metric
    for metric in latency_p50 latency_p99 latency_max packet_bytes; do
        page_pick "$PAGE_DIR/redundant.csv" association a forward "$metric" >"$PAGE_DIR/redundant.$metric"
    done
    paste "$PAGE_DIR"/redundant.{latency_p50,latency_p99,latency_max,packet_bytes} | awk -F'\t' '{
        printf "%s\t%.1f\t%.1f\t%.1f\t%.2f\n", $1, $2 / 1000, $5 / 1000, $8 / 1000, $11 / 1e6
    }' >"$PAGE_DIR/redundant.table"
    page_picture redundant "Delay of messages." <<'END'
set style data histograms
set style fill solid 0.8
set ylabel "ms"
set logscale y
set yrange [1:]
set datafile separator "\t"
plot "redundant.table" using 2:xtic(1) title "median", "" using 3 title "99th percentile", \
    "" using 4 title "longest"
END
    page_table "path selector" "median, ms" "p99, ms" "longest, ms" "MB sent" <"$PAGE_DIR/redundant.table"
}
