#include "say.h"

#include "calls.h"

#include <ctype.h>
#include <stdarg.h>

enum { MOST_STEPS = 4096, MOST_ASSOCIATIONS = 64, LOWEST_CHOSEN_PORT = 16384 };

static const char *current;
static struct {
    char step[96];
    unsigned count;
} said[MOST_STEPS];
static int32_t associations[MOST_ASSOCIATIONS];

/* A few texts may be used in one line. */
static char *text_buffer(void)
{
    static char buffers[16][512];
    static unsigned next;
    return buffers[next++ % 16];
}

void say_begin(const char *name)
{
    current = name;
}

static unsigned occurrence(const char *step)
{
    unsigned i = 0;
    while (i + 1 < MOST_STEPS && said[i].count > 0 && strcmp(said[i].step, step) != 0)
        i++;
    snprintf(said[i].step, sizeof(said[i].step), "%s", step);
    return ++said[i].count;
}

void say(const char *step, const char *format, ...)
{
    char line[2048];
    unsigned count = occurrence(step);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (count == 1)
        printf("%s: %s: %s\n", current, step, line);
    else
        printf("%s: %s (%u): %s\n", current, step, count, line);
}

const char *say_errno(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "unknown errno";
}

long answer(const char *step, long result)
{
    int error = errno;
    if (result < 0)
        say(step, "%s", say_errno(error));
    else
        say(step, "%ld", result);
    return result;
}

long ready(const char *step, long result)
{
    return result < 0 ? answer(step, result) : result;
}

const char *say_association(int32_t id)
{
    char *text = text_buffer();
    unsigned i = 0;
    if (id >= 0 && id <= 2) {
        sprintf(text, "%d", id);
        return text;
    }
    while (i + 1 < MOST_ASSOCIATIONS && associations[i] != 0 && associations[i] != id)
        i++;
    associations[i] = id;
    sprintf(text, "A%u", i + 1);
    return text;
}

const char *say_address(const void *address)
{
    const struct sockaddr *sa = address;
    const struct sockaddr_in *in = address;
    const struct sockaddr_in6 *in6 = address;
    char *text = text_buffer(), host[INET6_ADDRSTRLEN];
    unsigned port;
    if (sa->sa_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    else if (sa->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
    else
        return sa->sa_family == AF_UNSPEC ? "no address" : "an address of another family";
    port = ntohs(sa->sa_family == AF_INET ? in->sin_port : in6->sin6_port);
    if (port >= LOWEST_CHOSEN_PORT)
        sprintf(text, "%s port chosen", host);
    else
        sprintf(text, "%s port %u", host, port);
    return text;
}

const char *say_bytes(const void *data, size_t size)
{
    const unsigned char *byte = data;
    char *text = text_buffer();
    size_t used = 0, run;
    text[0] = '\0';
    for (size_t i = 0; i < size && used < 480; i += run) {
        for (run = 1; i + run < size && byte[i + run] == byte[i];)
            run++;
        if (isgraph(byte[i]))
            used += (size_t)sprintf(text + used, "%c", byte[i]);
        else
            used += (size_t)sprintf(text + used, "<%02x>", byte[i]);
        if (run > 4)
            used += (size_t)sprintf(text + used, "*%zu", run);
        else
            run = 1;
    }
    return text;
}

struct bit {
    int value;
    const char *name;
};

static const char *names_of(int value, const struct bit *bits, size_t count)
{
    char *text = text_buffer();
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (value & bits[i].value)
            used += (size_t)sprintf(text + used, " %s", bits[i].name);
        value &= ~bits[i].value;
    }
    if (value)
        sprintf(text + used, " 0x%x", (unsigned)value);
    return text;
}

void say_poll(const char *step, int revents)
{
    static const struct bit bits[] = {{POLLIN, "IN"},      {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
                                      {POLLERR, "ERR"},    {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"},
                                      {POLLRDHUP, "RDHUP"}};
    say(step, "poll%s",
        revents ? names_of(revents, bits, sizeof(bits) / sizeof(*bits)) : " nothing");
}

const char *say_flags(int flags)
{
    static const struct bit bits[] = {{MSG_EOR, "EOR"},
                                      {MSG_NOTIFICATION, "NOTIFICATION"},
                                      {MSG_TRUNC, "TRUNC"},
                                      {MSG_CTRUNC, "CTRUNC"},
                                      {MSG_CMSG_CLOEXEC, "CMSG_CLOEXEC"}};
    return names_of(flags, bits, sizeof(bits) / sizeof(*bits));
}
