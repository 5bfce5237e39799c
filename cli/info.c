/* info.c - floor 7: `ebb info`: what this build is and what it found on this machine. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "json.h"
#include <ebb/plugin.h>
#include <getopt.h>
#include <string.h>

typedef struct options {
    bool json;
} options;

static const cli_option info_options[] = {
    {.name = "json", CLI_FLAG, offsetof(options, json), NULL, "the same as JSON", 0, 0},
};

/* The backends that are loaded, "portable" first, separated by ", ". */
static void list_backends(const ebb *e, char *to, size_t room) {
    size_t n = (size_t)snprintf(to, room, "portable");
    for (size_t i = 0; i < ebb_plugin_count(e); i++)
        for (const ebb_backend_decl *const *b = ebb_plugin_at(e, i)->backends; b && *b && n < room; b++)
            n += (size_t)snprintf(to + n, room - n, ", %s", (*b)->name);
}

static void print_text(const ebb *e, const char *backends) {
    const char *dir = ebb_plugin_dir();
    printf("ebb %s, ABI %u.%u\n\n", ebb_version(), EBB_ABI_MAJOR, EBB_ABI_MINOR);
    printf("  threads   %d (%s)\n", ebb_threads(e), ebb_parallel_name());
    printf("  vectors   %s\n", ebb_level_name(ebb_level(e)));
    printf("  backends  %s; chosen: %s\n", backends, ebb_backend_name(e));
    printf("  plugins   %zu built in or loaded; looked for in %s\n", ebb_plugin_count(e), *dir ? dir : "no folder");
    printf("  ops       %zu\n", ebb_op_count(e));
    printf("  pointers  %d bits\n", (int)(8 * sizeof(void *)));
    printf("  compiler  %s\n", __VERSION__);
}

static void print_json(const ebb *e) {
    json j = {.to = stdout};
    json_begin(&j, NULL, '{');
    json_text(&j, "ebb", ebb_version());
    json_int(&j, "abi_major", EBB_ABI_MAJOR);
    json_int(&j, "abi_minor", EBB_ABI_MINOR);
    json_int(&j, "threads", ebb_threads(e));
    json_text(&j, "parallel", ebb_parallel_name());
    json_text(&j, "level", ebb_level_name(ebb_level(e)));
    json_text(&j, "backend", ebb_backend_name(e));
    json_text(&j, "plugin_dir", ebb_plugin_dir());
    json_int(&j, "ops", (int64_t)ebb_op_count(e));
    json_int(&j, "pointer_bits", (int64_t)(8 * sizeof(void *)));
    json_text(&j, "compiler", __VERSION__);
    json_begin(&j, "plugins", '[');
    for (size_t i = 0; i < ebb_plugin_count(e); i++) {
        json_begin(&j, NULL, '{');
        json_text(&j, "name", ebb_plugin_at(e, i)->name);
        json_text(&j, "path", ebb_plugin_path(e, i));
        json_text(&j, "doc", ebb_plugin_at(e, i)->doc);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(int argc, char **argv) {
    options o = {0};
    const int code = cli_parse(&cli_info, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    if (optind < argc) return cli_usage(&cli_info, "takes no '%s'", argv[optind]);
    ebb *e = cli_open(0, 0);
    if (!e) return CLI_FAILED;
    if (ebb_backend_use(e, "auto")) ebb_error_clear(e); /* then it is the portable one */
    char backends[256];
    list_backends(e, backends, sizeof backends);
    if (o.json) print_json(e);
    else print_text(e, backends);
    ebb_close(e);
    return CLI_OK;
}

const cli_command cli_info = {
    .name = "info",
    .args = "[--json]",
    .brief = "version, threads, vector level, backends",
    .options = info_options,
    .n_options = sizeof info_options / sizeof *info_options,
    .run = run,
};
