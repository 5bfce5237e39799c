/* progress.c - floor 7: the progress bar of `ebb train`. */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 10, LINES = 12 }; /* cells; lines at most where there is no terminal */

double progress_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool on_terminal(void) {
#ifdef __EMSCRIPTEN__
    return false; /* its isatty() takes a pipe for a terminal too */
#else
    return isatty(STDOUT_FILENO) == 1;
#endif
}

void progress_begin(progress *p, int64_t epochs, int64_t images, bool silent) {
    *p = (progress){silent, on_terminal(), epochs, images, progress_clock(), 0};
}

/* 12345678 -> "12,345,678" */
static const char *thousands(int64_t n, char buf[32]) {
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%" PRId64, n);
    int to = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) buf[to++] = ',';
        buf[to++] = digits[i];
    }
    buf[to] = 0;
    return buf;
}

/* Where it stands, without a newline; with a bar, in less than 80 columns, for a longer line cannot be redrawn. */
static void line(const progress *p, const progress_at *at, bool bar) {
    const double spent = progress_clock() - p->start;
    const double done = (double)(at->epoch * p->images + at->image), all = (double)(p->epochs * p->images);
    const double rate = spent > 0 ? done / spent : 0;
    char text[160], cells[BAR + 4] = " ", speed[32];
    if (bar) {
        const int full = (int)(done / all * BAR);
        memset(cells + 1, '.', BAR + 2);
        memset(cells + 2, '=', (size_t)full);
        if (full < BAR) cells[2 + full] = '>';
        cells[1] = '[';
        cells[BAR + 2] = ']';
    }
    snprintf(text, sizeof text, "epoch %*" PRId64 "/%" PRId64 "%s loss %.4f  %s %5.1f %%  %s images/s  ETA %.0f s",
             p->epochs > 99 ? 3 : 2, at->epoch + 1, p->epochs, cells, at->loss, bar ? "acc" : "accuracy",
             100 * at->accuracy, thousands((int64_t)rate, speed), rate > 0 ? (all - done) / rate : 0.0);
    printf("%.*s", bar ? 79 : (int)sizeof text, text);
}

void progress_step(progress *p, const progress_at *at) {
    const double now = progress_clock();
    if (p->silent || !p->tty || now - p->drawn < 0.1) return;
    p->drawn = now;
    fputs("\r\033[K", stdout);
    line(p, at, true);
    fflush(stdout);
}

void progress_epoch(progress *p, const progress_at *at) {
    const int64_t every = (p->epochs + LINES - 1) / LINES, done = at->epoch + 1;
    if (p->silent || (done != p->epochs && (p->tty || done % every))) return;
    if (p->tty) fputs("\r\033[K", stdout);
    line(p, at, false);
    putchar('\n');
    fflush(stdout);
}

double progress_end(progress *p) {
    if (!p->silent && p->tty) {
        fputs("\r\033[K", stdout);
        fflush(stdout);
    }
    return progress_clock() - p->start;
}
