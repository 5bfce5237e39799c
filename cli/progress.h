/* progress.h - floor 7: shows how a training goes: one line redrawn on a terminal, a line an epoch elsewhere. */
#ifndef EBB_CLI_PROGRESS_H
#define EBB_CLI_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool silent, tty;
    int64_t epochs, images; /* in all; in one epoch */
    double start, drawn;    /* seconds, of the monotonic clock */
} progress;

/* Where the training is: loss and accuracy are means over the epoch so far. */
typedef struct progress_at {
    int64_t epoch, image; /* epochs done before this one; images of this one */
    double loss, accuracy;
} progress_at;

double progress_clock(void); /* seconds since some moment */
void progress_begin(progress *p, int64_t epochs, int64_t images, bool silent);
/* Redraws, if it is time to. */
void progress_step(progress *p, const progress_at *at);
/* An epoch has ended: prints a line that stays; on a terminal only after the last, elsewhere a dozen in all. */
void progress_epoch(progress *p, const progress_at *at);
/* Clears the redrawn line. -> seconds since the beginning */
double progress_end(progress *p);

#endif
