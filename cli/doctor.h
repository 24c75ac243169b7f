/* hawser doctor: whether this machine lets SCTP pass, and what to do where it does not. */
#ifndef HWS_CLI_DOCTOR_H
#define HWS_CLI_DOCTOR_H

/** Prints one line for each thing looked at. 0 when raw sockets can be opened, 1 when not, 2 after
 * a usage error. */
int hws_cli_doctor(int argc, char **argv);

#endif
