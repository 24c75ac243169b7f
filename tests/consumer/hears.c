/* A program that knows nothing of extensions but that they tell something: HAWSER_EXTENSIONS loads
 * them. It takes one association at port 5001 and prints what it is told, until the peer is done.
 */
#include <arpa/inet.h>
#include <hawser/options.h>
#include <hawser/runtime.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void print(const char *bytes, size_t len)
{
    struct hws_extension_event head;
    if (len < sizeof head)
        return;
    memcpy(&head, bytes, sizeof head);
    if (head.hee_type == HWS_EXTENSION_EVENT && head.hee_length == len)
        printf("%s %u: %.*s\n", head.hee_name, (unsigned)head.hee_code, (int)(len - sizeof head),
               bytes + sizeof head);
}

int main(void)
{
    char bytes[2000];
    struct sctp_event event = {
        .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = HWS_EXTENSION_EVENT, .se_on = 1};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5001)};
    if (hws_runtime_default() == NULL)
        return 3; /* it has said why */
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0 || hws_bind(fd, (struct sockaddr *)&any, sizeof any) != 0 ||
        hws_setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) != 0 ||
        hws_listen(fd, 1) != 0)
        return perror("hears"), 1;
    int peer = hws_accept(fd, NULL, NULL);
    for (;;) {
        struct iovec iov = {bytes, sizeof bytes};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t len = hws_recvmsg(peer, &msg, 0);
        if (len <= 0)
            return len < 0 ? perror("hears"), 1 : 0;
        if ((msg.msg_flags & MSG_NOTIFICATION) != 0)
            print(bytes, (size_t)len);
        fflush(stdout);
    }
}
