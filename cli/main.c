/* main.c - floor 7: the `ebb` command: finds the subcommand and hands over. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {&cli_run, &cli_trace, &cli_train, &cli_check,
                                              &cli_ops, &cli_info,  &cli_help,  NULL};

const cli_command *const *cli_commands(void) { return commands; }

const cli_command *cli_command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++)
        if (!strcmp(commands[i]->name, name)) return commands[i];
    return NULL;
}

static void list_commands(FILE *to) {
    for (size_t i = 0; commands[i]; i++) fprintf(to, "  %-7s %s\n", commands[i]->name, commands[i]->brief);
}

void cli_overview(void) {
    puts("ebb - trains networks on a plugin-based autograd engine\n\nusage: ebb COMMAND [OPTIONS]\n");
    list_commands(stdout);
    puts("\nexamples:\n"
         "  ebb train digits                        a few seconds; the accuracy on digits it has never seen\n"
         "  ebb train mnist --save model.safetensors\n"
         "  ebb run examples/models/spirals.ebb     train the model that a text describes\n"
         "  ebb check ./my_op.so                    verify a plugin and print its certificate\n"
         "  ebb train digits --plugin ./my_op.so    train with the op it brings\n"
         "  ebb help softmax                        formula, derivative, attributes, how to call it\n"
         "  ebb help train                          what a command takes\n\n"
         "exit codes: 0 done, 1 failed (or an op was refused), 2 called wrongly");
}

/* Threads that wait for work should spin for microseconds, not milliseconds: on a shared machine long spinning takes the processor from the
 * very thread that is waited for. libgomp reads its settings before main, so the command starts itself again with them. */
static void settle_threads(char **argv) {
#if defined __linux__ && !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    setenv("GOMP_SPINCOUNT", "20000", 1);
    execv("/proc/self/exe", argv);
#endif
    (void)argv;
}

int main(int argc, char **argv) {
    settle_threads(argv);
    if (argc < 2) {
        fputs("usage: ebb COMMAND [OPTIONS]\n\n", stderr);
        list_commands(stderr);
        fputs("\n`ebb --help` has examples\n", stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        cli_overview();
        return CLI_OK;
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        printf("ebb %s\n", ebb_version());
        return CLI_OK;
    }
    const cli_command *c = cli_command_find(name);
    if (c) {
        const int code = c->run(argc - 1, argv + 1);
        if (fflush(stdout) || ferror(stdout)) return cli_fail("could not write all of the output");
        return code;
    }
    const char *names[16];
    size_t n = 0;
    for (; commands[n]; n++) names[n] = commands[n]->name;
    const char *near = cli_nearest(name, n, names);
    fprintf(stderr, "ebb: no command '%s'", name);
    if (near) fprintf(stderr, "; did you mean `ebb %s`?", near);
    fputs("\n     `ebb help` lists the commands\n", stderr);
    return CLI_USAGE;
}
