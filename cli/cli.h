/* cli.h - floor 7: what the subcommands of `ebb` share: their table, options, errors, suggestions. */
#ifndef EBB_CLI_H
#define EBB_CLI_H
#include <ebb/ebb.h>

/* Exit codes. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_GO_ON = -1 };

typedef enum cli_type {
    CLI_FLAG, /* bool, no argument */
    CLI_INT,  /* int64_t in [lo, hi] */
    CLI_SEED, /* uint64_t */
    CLI_REAL, /* double in [lo, hi] */
    CLI_TEXT  /* const char *, borrowed from argv */
} cli_type;

/* One long option: a field of the command's options struct, set only where the option is given. */
typedef struct cli_option {
    const char *name; /* "threads", given as --threads N or --threads=N */
    cli_type type;
    size_t offset;
    const char *arg;  /* "N"; NULL for a flag */
    const char *help; /* one line */
    double lo, hi;
    char letter; /* 'o': may be given as -o too; 0: none */
} cli_option;

/* One subcommand. Each file defines one; main.c lists them. */
typedef struct cli_command {
    const char *name;
    const char *args;    /* what follows the name in the usage line */
    const char *brief;   /* one line */
    const char *details; /* what it prints, examples; NULL: nothing to add */
    const cli_option *options;
    size_t n_options;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name. -> exit code */
} cli_command;

extern const cli_command cli_run, cli_trace, cli_train, cli_check, cli_ops, cli_info, cli_help;

/* The commands in the order they are listed; ends with NULL. */
const cli_command *const *cli_commands(void);
const cli_command *cli_command_find(const char *name);

/* Reads the options into the struct at `into`; what is left stands at argv[optind..argc). -> CLI_GO_ON, or an exit
 * code: --help was given and answered, or a message about the option was printed. */
int cli_parse(const cli_command *c, int argc, char **argv, void *into);

/* Text to number, all of it and within [lo, hi]. */
bool cli_int(const char *text, int64_t lo, int64_t hi, int64_t *out);
bool cli_real(const char *text, double lo, double hi, double *out);

/* A number for printf: a NaN without its sign, which differs between machines. */
double cli_shown(double x);

/* A mistake in how `ebb` was called: "ebb: train: WORDS", and where to read on. -> CLI_USAGE */
int cli_usage(const cli_command *c, const char *format, ...) EBB_PRINTF(2, 3);
/* The session's error, once, as "ebb: WORDS". -> CLI_FAILED */
int cli_failed(const ebb *e);
/* The same for words that come from nowhere else. -> CLI_FAILED */
int cli_fail(const char *format, ...) EBB_PRINTF(1, 2);

/* The word of the list that was probably meant; NULL when none is close. */
const char *cli_nearest(const char *word, size_t n, const char *const *list);

/* Opens a session; says so when it cannot. threads 0: one a core. */
ebb *cli_open(int64_t threads, uint64_t seed);

/* A plugin's file name as the loader wants it, with a '/': "x.so" becomes "./x.so". -> buf, or path itself */
const char *cli_plugin_path(const char *path, char *buf, size_t n);

void cli_command_help(const cli_command *c);
void cli_overview(void);

#endif
