/* data.h - floor 7: the digit sets that `ebb train` knows, read from IDX files. */
#ifndef EBB_CLI_DATA_H
#define EBB_CLI_DATA_H
#include <ebb/ebb.h>

/* n images of rows x cols bytes, 0 .. white, and the class of each. Owned; data_free. */
typedef struct data_set {
    int64_t n, rows, cols;
    int classes, white;
    uint8_t *image, *label;
} data_set;

/* The sets there are; ends with NULL. */
extern const char *const data_names[];

/* Reads a set by name from a folder, NULL: the one this build knows. `test` is held back from `train`: MNIST brings it as
 * files of its own; of the 8x8 digits a fifth is held back, the same one on every machine. Both are zeros on an error.
 * EBB_E_NAME: no such set. EBB_E_IO: a file that is missing, cut short, of another kind, or does not fit the other. */
ebb_status data_load(ebb *e, const char *name, const char *folder, data_set *train, data_set *test);
void data_free(data_set *d);

/* Reads one pair of IDX files. On an error *out is zeros. */
ebb_status data_read_idx(ebb *e, const char *images, const char *labels, int classes, int white, data_set *out);

#endif
