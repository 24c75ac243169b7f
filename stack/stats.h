/* Counters of an engine: one row each, with the name used in JSON and what is counted. */
#ifndef HWS_STACK_STATS_H
#define HWS_STACK_STATS_H

#include <stdint.h>

#define HWS_STATS(X)                                                                               \
    X(packets_in, "packets handed to the engine")                                                  \
    X(packets_out, "packets built")                                                                \
    X(bytes_in, "bytes of packets handed to the engine, from the SCTP header on")                  \
    X(bytes_out, "bytes of packets built")                                                         \
    X(data_in, "DATA chunks received, duplicates included")                                        \
    X(data_out, "DATA chunks sent, retransmissions included")                                      \
    X(data_bytes_in, "user data received for the first time")                                      \
    X(data_bytes_out, "user data sent for the first time")                                         \
    X(messages_in, "messages handed to the application")                                           \
    X(messages_out, "messages accepted from the application")                                      \
    X(messages_dropped, "messages for streams that the peer does not take (5.1.1)")                \
    X(train_waits, "times that new messages waited to fill a train (near paths)")                  \
    X(retransmits, "DATA chunks sent again")                                                       \
    X(copies_out, "copies of DATA chunks sent on further paths (path selectors)")                  \
    X(copies_withheld, "copies that could not be sent at once, and were not")                      \
    X(cc_refused, "answers of a congestion controller out of bounds, brought there")               \
    X(sched_refused, "streams named by a stream scheduler that have nothing to send")              \
    X(pathsel_refused, "choices of a path selector that were impossible")                          \
    X(fast_retransmits, "DATA chunks marked by missing reports (7.2.4)")                           \
    X(timeouts_t1, "T1-init and T1-cookie expiries")                                               \
    X(timeouts_t2, "T2-shutdown expiries")                                                         \
    X(timeouts_t3, "T3-rtx expiries")                                                              \
    X(tail_probes, "tail loss probes sent")                                                        \
    X(timeouts_heartbeat, "HEARTBEATs that were not answered")                                     \
    X(sacks_in, "SACK chunks received")                                                            \
    X(sacks_out, "SACK chunks sent")                                                               \
    X(duplicates_in, "DATA chunks received again")                                                 \
    X(rcvbuf_raised, "times that a receive buffer grew")                                           \
    X(window_probes, "zero-window probes sent")                                                    \
    X(heartbeats_in, "HEARTBEAT chunks received")                                                  \
    X(heartbeats_out, "HEARTBEAT chunks sent")                                                     \
    X(pmtu_probes, "path MTU probes sent (RFC 8899)")                                              \
    X(pmtu_probes_lost, "path MTU probes that were not answered")                                  \
    X(pmtu_raised, "times a probe confirmed a larger path MTU")                                    \
    X(pmtu_black_holes, "times packets were found to be too large for their path")                 \
    X(assocs_active, "associations that came up from our INIT")                                    \
    X(assocs_passive, "associations that came up from a peer's INIT")                              \
    X(assocs_restarted, "associations restarted by the peer (5.2)")                                \
    X(assocs_shutdown, "associations that ended gracefully")                                       \
    X(assocs_aborted, "associations that ended otherwise")                                         \
    X(drop_short, "packets shorter than a header or with a malformed chunk list")                  \
    X(drop_checksum, "packets with a wrong checksum")                                              \
    X(drop_port, "packets for a port that is not ours")                                            \
    X(drop_shard, "packets that belong to another shard")                                          \
    X(drop_vtag, "packets with a wrong verification tag")                                          \
    X(drop_address, "packets from or to an address that is not the association's")                 \
    X(drop_chunk_malformed, "chunks shorter than their type allows or with malformed contents")    \
    X(drop_chunk_state, "chunks that the association's state does not allow")                      \
    X(drop_chunk_unknown, "chunks of an unknown type")                                             \
    X(drop_bundle, "chunks that must stand alone and did not")                                     \
    X(drop_cookie_mac, "COOKIE ECHO chunks whose MAC is wrong")                                    \
    X(drop_cookie_stale, "COOKIE ECHO chunks that came too late")                                  \
    X(drop_cookie_mismatch, "COOKIE ECHO chunks that match no case of table 12")                   \
    X(drop_data_window, "DATA chunks beyond the window or the buffer")                             \
    X(drop_data_invalid, "DATA chunks with an invalid stream or without user data")                \
    X(reneged, "times that data beyond a gap was dropped again for want of memory (6.2)")          \
    X(drop_sack_invalid, "SACK chunks that acknowledge what was never sent, or are old")           \
    X(drop_heartbeat_ack, "HEARTBEAT ACK chunks that answer no HEARTBEAT of ours")                 \
    X(drop_memory, "packets, chunks or replies given up for want of memory")                       \
    X(ootb_in, "packets out of the blue (8.4)")                                                    \
    X(ootb_replies, "packets sent in answer to them")                                              \
    X(ootb_suppressed, "answers withheld by the rate limit")                                       \
    X(ext_chunks_in, "chunks given to extensions")                                                 \
    X(ext_chunks_out, "chunks of extensions sent")                                                 \
    X(ext_repaired, "DATA chunks that extensions handed in")                                       \
    X(ext_faults, "what extensions asked for and must not, or that was out of bounds")             \
    X(ext_events_lost, "events of extensions beyond those that may wait")                          \
    X(send_failed, "packets that the link could not send")

struct hws_stats {
#define X(name, what) uint64_t name;
    HWS_STATS(X)
#undef X
};

#endif
