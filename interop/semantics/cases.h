/* The cases, by what they are about. Each runs in a process and a network namespace of its own. */
#ifndef HWS_SEMANTICS_CASES_H
#define HWS_SEMANTICS_CASES_H

struct semantic_case {
    const char *name;
    void (*run)(void);
};

/* Each ends with a case without a name. */
extern const struct semantic_case cases_socket[];
extern const struct semantic_case cases_bind[];
extern const struct semantic_case cases_connect[];
extern const struct semantic_case cases_listen[];
extern const struct semantic_case cases_send[];
extern const struct semantic_case cases_receive[];
extern const struct semantic_case cases_end[];
extern const struct semantic_case cases_many[];
extern const struct semantic_case cases_notify[];
extern const struct semantic_case cases_control[];
extern const struct semantic_case cases_poll[];
extern const struct semantic_case cases_option[];
extern const struct semantic_case cases_address[];

#endif
