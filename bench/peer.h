/* peer.h - floor 7: PyTorch in a process of its own, asked for one block at a time. */
#ifndef EBB_BENCH_PEER_H
#define EBB_BENCH_PEER_H
#include <stdbool.h>

typedef struct peer peer;

/* Starts torch_peer.py in its best configuration. -> owned, peer_stop; NULL where there is no python3 with torch */
peer *peer_start(int threads, bool avx512);
const char *peer_name(const peer *p); /* "PyTorch 1.13.0"; "-" for NULL */
/* Its matrix products come from the reference BLAS: not the configuration to compare with. */
bool peer_is_slow(const peer *p);
/* Runs one block of a workload there. -> seconds a step; NAN when it does not know it, or p is NULL */
double peer_ask(peer *p, const char *key);
void peer_stop(peer *p);

#endif
