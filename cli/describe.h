/* describe.h - floor 7: what an op's declaration says, as text. */
#ifndef EBB_CLI_DESCRIBE_H
#define EBB_CLI_DESCRIBE_H
#include <ebb/ebb.h>
#include <ebb/op.h>

const char *describe_type(int32_t attr_type);                       /* "int", "float" ... */
const char *describe_range(const ebb_attr *a, char *buf, size_t n); /* "0 .. 1", "" for any. -> buf */
const char *describe_flag(int bit);                                 /* NULL past the last */
const char *describe_flag_meaning(int bit);                         /* a sentence; NULL past the last */
bool describe_differentiable(const ebb_op *op);
const char *describe_c_call(const ebb_op *op, char *buf, size_t n); /* "ebb_softmax(a, .dim = -1)". -> buf */
const char *describe_named_call(const ebb_op *op, char *buf, size_t n); /* the same through ebb_call_named. -> buf */

#endif
