/* Extensions in shared objects. They stay loaded: engines, and names given to them, refer to them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/hawser/runtime.h"
#include "stack/engine.h"
#include "stack/extend.h"

#define PATH_BYTES 4096u
#define PATH_SHOWN 256

/* dlopen looks in the system's directories for what has no slash; here a file is meant. */
static void *open_file(const char *path)
{
    char beside[PATH_BYTES];
    if (strchr(path, '/') != NULL)
        return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    snprintf(beside, sizeof(beside), "./%s", path);
    return dlopen(beside, RTLD_NOW | RTLD_LOCAL);
}

/* Of a long path as much as leaves room for the reason. */
static const struct hws_extension *fail(int reason, char *error, const char *path, const char *why)
{
    const char *cut = strlen(path) > PATH_SHOWN ? "..." : "";
    if (error != NULL)
        snprintf(error, HWS_ERROR_MAX, "cannot load extension %.*s%s: %s", PATH_SHOWN, path, cut,
                 why);
    errno = reason;
    return NULL;
}

/* A symbol of that name may be something else, the table itself or a function: what is to be the
 * table's address is one of a loaded object. */
static bool is_address(const void *symbol)
{
    const void *address;
    Dl_info info;
    memcpy(&address, symbol, sizeof(address));
    return (uintptr_t)address % _Alignof(struct hws_extension) == 0 && dladdr(address, &info) != 0;
}

const struct hws_extension *hws_extension_load(const char *path, char *error)
{
    if (strlen(path) > PATH_BYTES - sizeof("./"))
        return fail(ENAMETOOLONG, error, path, strerror(ENAMETOOLONG));
    if (access(path, R_OK) != 0) {
        int reason = errno;
        return fail(reason, error, path, strerror(reason));
    }
    void *object = open_file(path);
    if (object == NULL)
        return fail(ENOEXEC, error, path, dlerror());
    const struct hws_extension *const *symbol = dlsym(object, HWS_EXTENSION_SYMBOL);
    char why[HWS_EXTENSION_ERROR_MAX] =
        "it has no symbol " HWS_EXTENSION_SYMBOL ": is there HWS_EXTENSION_EXPORT in its source?";
    if (symbol != NULL && !is_address(symbol))
        snprintf(why, sizeof(why), "%s",
                 "its symbol " HWS_EXTENSION_SYMBOL " is not made by HWS_EXTENSION_EXPORT, which "
                 "takes an extension of another name");
    else if (symbol != NULL && hws_extensions_check(symbol, 1, why) == HWS_OK)
        return *symbol;
    dlclose(object);
    return fail(EINVAL, error, path, why);
}
