#include <pthread.h>

#include "api/runtime/runtime.h"

static unsigned process_id;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void after_fork(void)
{
    process_id++;
}

static void init(void)
{
    pthread_atfork(NULL, NULL, after_fork);
}

unsigned hws_process_id(void)
{
    pthread_once(&once, init);
    return process_id;
}
