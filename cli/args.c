/* args.c - floor 7: options, numbers, suggestions and messages for all subcommands. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 32, MAX_WORD = 48 };

bool cli_int(const char *text, int64_t lo, int64_t hi, int64_t *out) {
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < lo || v > hi) return false;
    *out = v;
    return true;
}

bool cli_real(const char *text, double lo, double hi, double *out) {
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || v < lo || v > hi) return false;
    *out = v;
    return true;
}

double cli_shown(double x) { return isnan(x) ? (double)NAN : x; }

static bool read_seed(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    const unsigned long long v = strtoull(text, &end, 0);
    if (end == text || *end || errno || strchr(text, '-')) return false;
    *out = v;
    return true;
}

/* Levenshtein distance of two short words; longer ones are taken as far apart. */
static size_t distance(const char *a, const char *b) {
    const size_t n = strlen(a), m = strlen(b);
    if (n >= MAX_WORD || m >= MAX_WORD) return MAX_WORD;
    size_t row[MAX_WORD];
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

const char *cli_nearest(const char *word, size_t n, const char *const *list) {
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2; /* how wrong a word may be and still be meant */
    for (size_t i = 0; i < n; i++) {
        const size_t d = distance(word, list[i]);
        if (d < least && d < strlen(list[i])) {
            least = d;
            best = list[i];
        }
    }
    return best;
}

int cli_usage(const cli_command *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "ebb: %s: ", c->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n     `ebb help %s` lists what it takes\n", c->name);
    va_end(args);
    return CLI_USAGE;
}

int cli_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("ebb: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return CLI_FAILED;
}

int cli_failed(const ebb *e) { return cli_fail("%s", ebb_error(e)); }

ebb *cli_open(int64_t threads, uint64_t seed) {
    const ebb_options options = {.size = sizeof options, .threads = (int32_t)threads, .seed = seed};
    ebb *e = ebb_open(&options);
    if (!e) {
        cli_fail("out of memory");
        return NULL;
    }
    if (!ebb_failed(e)) return e;
    cli_failed(e);
    ebb_close(e);
    return NULL;
}

const char *cli_plugin_path(const char *path, char *buf, size_t n) {
    if (strchr(path, '/')) return path;
    snprintf(buf, n, "./%s", path);
    return buf;
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static int unknown_option(const cli_command *c, const char *given) {
    const char *names[MAX_OPTIONS];
    for (size_t i = 0; i < c->n_options; i++) names[i] = c->options[i].name;
    char word[MAX_WORD];
    snprintf(word, sizeof word, "%s", given + strspn(given, "-"));
    word[strcspn(word, "=")] = 0;
    const char *near = cli_nearest(word, c->n_options, names);
    if (near) return cli_usage(c, "no option %s; did you mean --%s?", given, near);
    return cli_usage(c, "no option %s", given);
}

static int set(const cli_command *c, const cli_option *o, const char *text, void *into) {
    void *field = (char *)into + o->offset;
    switch (o->type) {
    case CLI_FLAG: *(bool *)field = true; return CLI_GO_ON;
    case CLI_TEXT: *(const char **)field = text; return CLI_GO_ON;
    case CLI_SEED:
        if (read_seed(text, (uint64_t *)field)) return CLI_GO_ON;
        return cli_usage(c, "--%s: expected a whole number from 0 to 2^64-1, got '%s'", o->name, text);
    case CLI_INT:
        if (cli_int(text, (int64_t)o->lo, (int64_t)o->hi, (int64_t *)field)) return CLI_GO_ON;
        return cli_usage(c, "--%s: expected a whole number from %.0f to %.0f, got '%s'", o->name, o->lo,
                         o->hi, text);
    case CLI_REAL:
        if (cli_real(text, o->lo, o->hi, (double *)field)) return CLI_GO_ON;
        return cli_usage(c, "--%s: expected a number from %g to %g, got '%s'", o->name, o->lo, o->hi, text);
    }
    return CLI_FAILED;
}

int cli_parse(const cli_command *c, int argc, char **argv, void *into) {
    struct option table[MAX_OPTIONS + 2] = {{0}};
    char letters[2 * MAX_OPTIONS + 3] = ":h", *end = letters + 2;
    size_t n = 0;
    for (; n < c->n_options && n < MAX_OPTIONS; n++) {
        if (c->options[n].letter) *end++ = c->options[n].letter;
        if (c->options[n].letter && c->options[n].type != CLI_FLAG) *end++ = ':';
        table[n] = (struct option){c->options[n].name,
                                   c->options[n].type == CLI_FLAG ? no_argument : required_argument, NULL,
                                   (int)n + 256};
    }
    table[n] = (struct option){"help", no_argument, NULL, 'h'};
    opterr = 0;
    optind = 1;
    for (int got; (got = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
        if (got == 'h') {
            cli_command_help(c);
            return CLI_OK;
        }
        if (got == ':') return cli_usage(c, "%s needs a value", argv[optind - 1]);
        size_t i = got < 256 ? 0 : (size_t)got - 256;
        while (got < 256 && i < c->n_options && c->options[i].letter != got) i++;
        if (got == '?' || i == c->n_options) return unknown_option(c, argv[optind - 1]);
        const int code = set(c, &c->options[i], optarg, into);
        if (code != CLI_GO_ON) return code;
    }
    return CLI_GO_ON;
}
