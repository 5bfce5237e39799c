/* model.h - floor 7: what commands that take a model file share: reading it, its data, its errors under their line. */
#ifndef EBB_CLI_MODEL_H
#define EBB_CLI_MODEL_H
#include "cli.h"
#include <ebb/lang.h>

/* The whole file as text; a byte 0 ends it. -> owned, free; NULL: said why not */
char *model_read(const char *path);
/* Digits and mnist become known to the session's models; their files are read when one asks for them. folder NULL: the one of this build. */
void model_data(ebb *e, const char *folder);
/* What is wrong, with the line of the text and a mark under the place; or the session's error. -> CLI_FAILED */
int model_failed(const ebb *e, const ebb_model *m, const char *path, const char *text);
bool model_is_file(const char *name); /* it ends in .ebb */

#endif
