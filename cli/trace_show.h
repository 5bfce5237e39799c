/* trace_show.h - floor 7: traces as text for `ebb trace`. */
#ifndef EBB_CLI_TRACE_SHOW_H
#define EBB_CLI_TRACE_SHOW_H
#include <ebb/view.h>

/* One line: step, loss, how many of what. */
void trace_show_frame(const ebb_trace_step *s);
/* Each finding at the first of these frames that has it: what, where (with the line of the model's text), why, what to do. -> how many */
int trace_show_findings(int n, const ebb_trace_step *const *frames);
/* Every node: its line, its result's shape, range and gradient's range; groups as headings. Then the parameters. */
void trace_show_nodes(const ebb_trace_step *s);
#endif
