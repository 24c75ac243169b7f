/* An echo server on a libuv loop: one thread, no blocking call, any number of
 * clients. Every message goes back on its stream. A client that does not read
 * its answers is not read from, either.
 *
 * Usage: uv_echo [PORT]     port 5000 by default. After SIGINT it ends with its
 * last client. */
#include <hawser/uv.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_BYTES_MAX (1u << 20)
#define WRITE_QUEUE_MAX (4u << 20)

struct client {
    hws_uv_t handle;
    char *message; /* the one that is being received; its buffer has
                      MESSAGE_BYTES_MAX bytes */
    size_t len;
};

struct answer { /* one message on its way back, with the bytes it borrows */
    hws_uv_write_t request;
    char *message;
};

static struct hws_runtime *runtime;
static hws_uv_t server;
static uv_signal_t interrupt;

static void check(const char *what, int status)
{
    if (status < 0) {
        fprintf(stderr, "uv_echo: %s: %s\n", what, uv_strerror(status));
        exit(1);
    }
}

static void on_closed(hws_uv_t *handle)
{
    struct client *client = handle->data;
    free(client->message);
    free(client);
}

static void on_alloc(hws_uv_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = handle->data;
    (void)suggested;
    if (client->message == NULL)
        client->message = malloc(MESSAGE_BYTES_MAX);
    if (client->message != NULL) /* else, and when it is full, on_read gets UV_ENOBUFS */
        *buf =
            uv_buf_init(client->message + client->len, MESSAGE_BYTES_MAX - (unsigned)client->len);
}

static void on_read(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message);

static void on_written(hws_uv_write_t *request, int status)
{
    struct answer *answer = request->data;
    if (status == 0 && hws_uv_get_write_queue_size(request->handle) < WRITE_QUEUE_MAX)
        hws_uv_read_start(request->handle, on_alloc, on_read);
    free(answer->message);
    free(answer);
}

/* Sends the client's message back; the bytes belong to the answer from here on.
 */
static int send_back(struct client *client, const struct sctp_rcvinfo *received)
{
    struct answer *answer = malloc(sizeof *answer);
    if (answer == NULL)
        return UV_ENOMEM;
    uv_buf_t buf = uv_buf_init(client->message, (unsigned)client->len);
    struct sctp_sndinfo info = {.snd_sid = received->rcv_sid, .snd_ppid = received->rcv_ppid};
    answer->request.data = answer;
    answer->message = client->message;
    client->message = NULL;
    client->len = 0;
    int status = hws_uv_write(&answer->request, &client->handle, &buf, 1, &info, on_written);
    if (status < 0) {
        free(answer->message);
        free(answer);
    } else if (hws_uv_get_write_queue_size(&client->handle) >= WRITE_QUEUE_MAX)
        hws_uv_read_stop(&client->handle); /* on_written goes on */
    return status;
}

static void on_read(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message)
{
    struct client *client = handle->data;
    int status = nread < 0 ? (int)nread : 0;
    (void)buf;
    if (nread > 0)
        client->len += (size_t)nread;
    if (nread > 0 && (message->flags & MSG_EOR) != 0)
        status = send_back(client, &message->info);
    if (status < 0) {
        printf("a client is gone: %s\n", uv_strerror(status)); /* UV_EOF: gracefully */
        hws_uv_close(handle, on_closed);
    }
}

static void on_connection(hws_uv_t *listener, int status)
{
    struct client *client = calloc(1, sizeof *client);
    check("hws_uv_listen", client == NULL ? UV_ENOMEM : status);
    check("hws_uv_init", hws_uv_init(runtime, &client->handle));
    client->handle.data = client;
    check("hws_uv_accept", hws_uv_accept(listener, &client->handle));
    check("hws_uv_read_start", hws_uv_read_start(&client->handle, on_alloc, on_read));
}

static void on_interrupt(uv_signal_t *handle, int number)
{
    (void)number;
    hws_uv_close(&server, NULL);
    uv_close((uv_handle_t *)handle, NULL);
}

int main(int argc, char **argv)
{
    char error[HWS_ERROR_MAX];
    uv_loop_t *loop = uv_default_loop();
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.loop = loop;
    runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        return fprintf(stderr, "uv_echo: %s\n", error), 1;
    struct sockaddr_in local = {.sin_family = AF_INET};
    local.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 5000));
    check("hws_uv_init", hws_uv_init(runtime, &server));
    check("hws_uv_bind", hws_uv_bind(&server, (const struct sockaddr *)&local));
    check("hws_uv_listen", hws_uv_listen(&server, 16, on_connection));
    check("uv_signal_init", uv_signal_init(loop, &interrupt));
    check("uv_signal_start", uv_signal_start(&interrupt, on_interrupt, SIGINT));
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening at port %u\n", ntohs(local.sin_port));
    uv_run(loop, UV_RUN_DEFAULT);
    hws_runtime_free(runtime);
    uv_run(loop, UV_RUN_DEFAULT); /* closes what the runtime had in the loop */
    return uv_loop_close(loop) != 0;
}
