/* A file for each case of a test: an empty one before it, none behind it. */
#ifndef HWS_TESTS_TEMP_FILE_H
#define HWS_TESTS_TEMP_FILE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char temp_file[] = "/tmp/hws_test_XXXXXX";

static int temp_file_setup(void **state)
{
    (void)state;
    strcpy(temp_file + strlen(temp_file) - 6, "XXXXXX");
    int fd = mkstemp(temp_file);
    return fd < 0 ? -1 : close(fd);
}

static int temp_file_teardown(void **state)
{
    (void)state;
    return unlink(temp_file);
}

#endif
