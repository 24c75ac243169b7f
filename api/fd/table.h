/* Which descriptor numbers are sockets of ours: one table of the process, as the kernel's is.
 *
 * A slot holds a reference to the socket's handle. Whoever looks a number up gets a reference of
 * its own, so that a handle lives as long as anybody inside the library has it, and never turns
 * into another socket, whatever becomes of the number. */
#ifndef HWS_API_TABLE_H
#define HWS_API_TABLE_H

struct hws_handle;

/** A reference to the handle of `fd`, or NULL. */
struct hws_handle *hws_table_get(int fd);

/** Puts a handle under its number and takes a reference. What stood there (its number was closed
 * behind the library's back) goes to `stale` with its reference, or NULL. 0, -ENOMEM or -EMFILE. */
int hws_table_put(struct hws_handle *handle, struct hws_handle **stale);

/** Takes the handle out, with the table's reference, or NULL. */
struct hws_handle *hws_table_take(int fd);

#endif
