/* peer.c - floor 7: starts torch_peer.py and talks to it through two pipes, a line each way. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef EBB_BENCH_DIR
#define EBB_BENCH_DIR "bench"
#endif

struct peer {
    pid_t pid;
    FILE *to, *from;
    char name[64];
    bool slow;
};

/* In the child: becomes the peer, configured for speed. One pool of threads, kept memory, the widest vectors. */
static void become(int in, int out, int threads, bool avx512) {
    char n[16];
    snprintf(n, sizeof n, "%d", threads);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0) _exit(127);
    unsetenv("OPENBLAS_CORETYPE");
    setenv("OMP_NUM_THREADS", n, 1);
    setenv("OPENBLAS_NUM_THREADS", n, 1);
    if (avx512) setenv("ATEN_CPU_CAPABILITY", "avx512", 1);
    setenv("GLIBC_TUNABLES",
           "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592:glibc.malloc.top_pad=268435456",
           1);
    execl("/usr/bin/python3", "python3", EBB_BENCH_DIR "/torch_peer.py", n, (char *)NULL);
    _exit(127);
}

static bool read_line(peer *p, char *buf, size_t n) {
    if (!fgets(buf, (int)n, p->from)) return false;
    buf[strcspn(buf, "\n")] = 0;
    return true;
}

peer *peer_start(int threads, bool avx512) {
    int down[2] = {-1, -1}, up[2] = {-1, -1};
    peer *p = calloc(1, sizeof *p);
    if (!p || pipe(down) || pipe(up)) goto bad;
    signal(SIGPIPE, SIG_IGN); /* a peer that dies is a peer that is not there */
    fflush(NULL);
    p->pid = fork();
    if (p->pid < 0) goto bad;
    if (p->pid == 0) {
        close(down[1]);
        close(up[0]);
        become(down[0], up[1], threads, avx512);
    }
    close(down[0]);
    close(up[1]);
    p->to = fdopen(down[1], "w");
    p->from = fdopen(up[0], "r");
    if (p->to && p->from && read_line(p, p->name, sizeof p->name) && !strncmp(p->name, "PyTorch ", 8)) {
        p->slow = strstr(p->name, "slow") != NULL;
        p->name[8 + strcspn(p->name + 8, " ")] = 0;
        return p;
    }
    peer_stop(p);
    return NULL;
bad:
    for (int i = 0; i < 2; i++) {
        if (down[i] >= 0) close(down[i]);
        if (up[i] >= 0) close(up[i]);
    }
    free(p);
    return NULL;
}

bool peer_is_slow(const peer *p) { return p && p->slow; }

const char *peer_name(const peer *p) { return p ? p->name : "-"; }

double peer_ask(peer *p, const char *key) {
    char line[64], *end;
    if (!p || fprintf(p->to, "%s\n", key) < 0 || fflush(p->to) || !read_line(p, line, sizeof line))
        return NAN;
    const double seconds = strtod(line, &end);
    return end != line && seconds > 0 ? seconds : NAN;
}

void peer_stop(peer *p) {
    if (!p) return;
    if (p->to) fclose(p->to); /* end of its input: it leaves */
    if (p->from) fclose(p->from);
    int status;
    waitpid(p->pid, &status, 0);
    free(p);
}
