/* check_model.h - floor 7: the part of `ebb check` that takes a model file. */
#ifndef EBB_CLI_CHECK_MODEL_H
#define EBB_CLI_CHECK_MODEL_H
#include "cli.h"

typedef struct model_check_options {
    int64_t threads;
    bool json, quiet;
} model_check_options;

int check_model(const char *path, const model_check_options *o); /* -> exit code */

#endif
