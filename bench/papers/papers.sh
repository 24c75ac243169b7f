# shellcheck shell=bash
#
# Published results and ours. README.md beside this file says what they are and why ours differ where
# they do. To be sourced, after bench/lab/page.sh; each function writes its part of the page.
#
#   paper_holb          paper_failover          paper_window          paper_sawtooth
#
# LAB_HAWSER is the program, LAB_SEEDS how many seeds each scenario is run with, LAB_SETS more options
# for each run.

PAPERS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Usage: paper_run SCENARIO OPTION..
paper_run()
{
    "$LAB_HAWSER" sim --seeds "$LAB_SEEDS" "${LAB_SETS[@]}" "${@:2}" "$PAPERS_DIR/$1.sim" >/dev/null
}

# ---- Head-of-line blocking ----

PAPER_HOLB_WAYS=("1 stream" "4 streams" "16 streams" unordered)

paper_holb_run()
{
    paper_run holb --set workload.messages.streams=1 --csv "$PAGE_DIR/holb-0.csv"
    paper_run holb --set workload.messages.streams=4 --csv "$PAGE_DIR/holb-1.csv"
    paper_run holb --set workload.messages.streams=16 --csv "$PAGE_DIR/holb-2.csv"
    paper_run holb --set workload.messages.unordered=yes --csv "$PAGE_DIR/holb-3.csv"
}

# Interval, loss, and the mean delay of each way in ms.
paper_holb_rows()
{
    local way files=()
    for way in 0 1 2 3; do
        page_pick "$PAGE_DIR/holb-$way.csv" association a forward "$1" >"$PAGE_DIR/holb-$way.$1"
        files+=("$PAGE_DIR/holb-$way.$1")
    done
    paste "${files[@]}" |
        awk -F'\t' '{ printf "%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\n", $1, $2, $3 / 1000, $7 / 1000, $11 / 1000, $15 / 1000 }'
}

paper_holb()
{
    local interval
    page_heading "Head-of-line blocking: streams and unordered delivery"
    page_text <<'END'
K.-J. Grinnemo, T. Andersson, A. Brunstrom, "Performance Benefits of Avoiding Head-of-Line Blocking in SCTP",
ICAS/ICNS 2005: unordered delivery instead of ordered improves the average delay by 0 % to 18 %; a small
part of the messages is delayed much. Ours: messages of 250 bytes, 50 ms round trip, loss in one direction.
END
    paper_holb_run
    paper_holb_rows latency_mean >"$PAGE_DIR/holb.mean"
    paper_holb_rows latency_p99 >"$PAGE_DIR/holb.p99"
    for interval in 100ms 20ms 5ms; do
        grep "^$interval" "$PAGE_DIR/holb.mean" >"$PAGE_DIR/holb.$interval"
    done
    page_picture holb "Improvement of the mean delay by unordered delivery, for three intervals between messages. The grey band is what the paper measured." <<'END'
set xlabel "loss / %"
set ylabel "improvement of the mean delay / %"
set yrange [0:100]
set object 1 rectangle from graph 0, first 0 to graph 1, first 18 fc rgb "#dddddd" fs solid behind
improvement(ordered, unordered) = 100 * (1 - unordered / ordered)
plot for [interval in "100ms 20ms 5ms"] "holb.".interval using (real(strcol(2)[1:strlen(strcol(2))-1])):(improvement($3, $6)) with linespoints lw 2 title interval
END
    join_mean_p99 | page_table "interval" "loss" "${PAPER_HOLB_WAYS[@]/%/: mean ms}" improvement "paper" \
        "1 stream: p99 ms" "unordered: p99 ms"
}

join_mean_p99()
{
    paste "$PAGE_DIR/holb.mean" "$PAGE_DIR/holb.p99" | awk -F'\t' '{
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%.0f %%\t0 to 18 %%\t%s\t%s\n", $1, $2, $3, $4, $5, $6, 100 * (1 - $6 / $3), $9, $12
    }'
}

# ---- Failover ----

# When the first path became inactive, in seconds after the cut at 5 s, by number of the sweep's point.
paper_failover_detected()
{
    awk -F, '$4 == "a" && $5 == "forward" && $6 == 0 && $13 == 0 && !seen[$1]++ {
        printf "%.2f\n", $3 / 1e6 - 5
    }' "$1"
}

# RTO.min in seconds, Path.Max.Retrans, and the sum of the timeouts up to the threshold.
paper_failover_sums()
{
    awk -F'\t' '{
        rto = $1 ~ /ms$/ ? $1 / 1000 : $1 + 0
        sum = 0
        for (i = 0; i <= $2; i++)
            sum += rto * 2 ^ i
        printf "%s\t%s\t%.2f\n", $1, $2, sum
    }'
}

paper_failover_table()
{
    page_pick "$PAGE_DIR/failover.csv" association a forward latency_max >"$PAGE_DIR/failover.max"
    paste <(paper_failover_sums <"$PAGE_DIR/failover.max") \
        <(paper_failover_detected "$PAGE_DIR/failover.samples") \
        <(awk -F'\t' '{ printf "%.2f\n", $3 / 1e6 }' "$PAGE_DIR/failover.max") \
        <(awk -F'\t' '{ printf "%.2f\n", $3 / 1e6 }' "$PAGE_DIR/failover.pf")
}

paper_failover()
{
    local rto_min
    page_heading "Failover time by RTO.min and Path.Max.Retrans"
    page_text <<'END'
RFC 9260 (6.3.3, 8.2): the timeout doubles, and a path is inactive after Path.Max.Retrans + 1 of them in a row; with the
RFC's values 1 + 2 + 4 + 8 + 16 + 32 = 63 seconds. A. Caro, P. Amer, R. Stewart, "Rethinking End-to-End Failover with
Transport Layer Multihoming" (2006), and RFC 7829 after them: send elsewhere at the first timeout. Ours: the primary path is cut
without a word, 250 bytes every 10 ms; with and without the Potentially Failed state.
END
    paper_run failover --csv "$PAGE_DIR/failover.csv" --samples "$PAGE_DIR/failover.samples" --seeds 1
    paper_run failover --csv "$PAGE_DIR/failover-pf.csv" --set association.a.pf_max_retrans=0 --seeds 1
    paper_run failover-tuned --samples "$PAGE_DIR/failover-tuned.samples" --seeds 1
    page_pick "$PAGE_DIR/failover-pf.csv" association a forward latency_max >"$PAGE_DIR/failover.pf"
    paper_failover_table >"$PAGE_DIR/failover.table"
    for rto_min in 100ms 250ms 1s; do
        grep "^$rto_min" "$PAGE_DIR/failover.table" >"$PAGE_DIR/failover.$rto_min"
    done
    page_picture failover "Time from the cut until the path is inactive: ours (points) and the sum of the timeouts (lines)." <<'END'
set xlabel "Path.Max.Retrans"
set ylabel "seconds"
set logscale y
set yrange [0.05:100]
set xrange [-0.2:5.2]
name(i) = word("100ms 250ms 1s", i)
plot for [i = 1:3] "failover.".name(i) using 2:3 with lines lw 2 lc i title "sum, RTO.min ".name(i), \
    for [i = 1:3] "failover.".name(i) using 2:4 with points pt 7 lc i title "ours, RTO.min ".name(i)
END
    page_table "RTO.min" "Path.Max.Retrans" "sum of the timeouts, s" "ours: inactive after, s" \
        "ours: longest wait of a message, s" "the same with Potentially Failed (RFC 7829), s" \
        <"$PAGE_DIR/failover.table"
    page_text <<END
RTO.min 100 ms, RTO.max 400 ms, Path.Max.Retrans 4: 1.5 to 2 seconds by arithmetic, ours: $(
        paper_failover_detected "$PAGE_DIR/failover-tuned.samples") seconds.
END
}

# ---- Congestion window and loss ----

# Loss in %, published window in packets, ours, half its confidence interval, and the constant C that
# our throughput stands for: goodput * RTT * sqrt(p) / bytes of a packet's user data.
paper_window_rows()
{
    local metric
    for metric in cwnd_mean goodput srtt_mean; do
        page_pick "$PAGE_DIR/window.csv" association a forward "$metric" >"$PAGE_DIR/window.$metric"
    done
    paste "$PAGE_DIR"/window.{cwnd_mean,goodput,srtt_mean} | awk -F'\t' '{
        p = $1 / 100
        printf "%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\n", $1, 1.2 / sqrt(p), $2 / 1468, $3 / 1468,
            $5 / 8 * $8 / 1e6 * sqrt(p) / 1452, sqrt(3 / 2)
    }'
}

paper_window()
{
    page_heading "Congestion window and throughput under random loss"
    page_text <<'END'
M. Mathis, J. Semke, J. Mahdavi, T. Ott, "The Macroscopic Behavior of the TCP Congestion Avoidance Algorithm" (1997):
throughput = MSS / RTT * C / sqrt(p), C = sqrt(3/2) = 1.22 when every packet is acknowledged. S. Floyd, "HighSpeed TCP for Large
Congestion Windows" (RFC 3649, 2003), table 2: a mean window of 12 packets at a loss of 10<sup>-2</sup>, 38 at 10<sup>-3</sup>, 120 at
10<sup>-4</sup>. Ours: an endless transfer, 100 ms round trip, 1500 bytes.
END
    paper_run window --csv "$PAGE_DIR/window.csv"
    paper_window_rows >"$PAGE_DIR/window.table"
    page_picture window "Mean congestion window in packets of 1468 bytes: ours, with 95 % confidence, on the curve 1.2 / sqrt(p)." <<'END'
set xlabel "loss / %"
set ylabel "packets"
set logscale xy
set xrange [0.007:5]
loss(text) = real(text[1:strlen(text)-1])
plot 1.2 / sqrt(x / 100) with lines lw 2 title "1.2 / sqrt(p)", \
    "window.table" using (loss(strcol(1))):3:4 with yerrorbars pt 7 title "ours"
END
    page_table "loss" "1.2 / sqrt(p), packets" "ours: mean window" "+/-" "C of our throughput" "C of the paper" \
        <"$PAGE_DIR/window.table"
}

# ---- The sawtooth ----

# Of samples from 15 s on, when the first descents are over: the window's largest, its mean in parts of
# that, and what is left of it after a loss, in the mean.
paper_sawtooth_shape()
{
    awk -F, '$5 == "forward" && $3 > 15e6 {
        n++
        sum += $7
        if ($7 > max)
            max = $7
        if (last && $7 < 0.8 * last) {
            falls++
            ratio += $7 / last
        }
        last = $7
    }
    END {
        printf "%.0f\t%.2f\t0.75\t%.2f\t0.5\t%d\n", max / 1000, sum / n / max, falls ? ratio / falls : 0, falls
    }' "$PAGE_DIR/sawtooth.samples"
}

paper_sawtooth()
{
    page_heading "Slow start and the sawtooth"
    page_text <<'END'
The textbook's curve (V. Jacobson, "Congestion Avoidance and Control", 1988; RFC 5681): slow start doubles the window in every round
trip until a loss, each loss halves it, and it grows by a packet per round trip: the mean is three quarters of the peak. Ours:
10 Mbit/s, 50 ms, a queue of one bandwidth-delay product.
END
    paper_run sawtooth --samples "$PAGE_DIR/sawtooth.samples" --csv "$PAGE_DIR/sawtooth.csv" --seeds 1
    grep ',forward,' "$PAGE_DIR/sawtooth.samples" >"$PAGE_DIR/sawtooth.forward"
    page_picture sawtooth "Congestion window over time." <<'END'
set datafile separator ","
set xlabel "seconds"
set ylabel "KB"
plot "sawtooth.forward" using ($3 / 1e6):($7 / 1000) with lines lw 1.5 title "cwnd"
END
    paper_sawtooth_shape | page_table "peak, KB" "mean / peak" "textbook" "after a loss / before" \
        "textbook" "losses"
}
