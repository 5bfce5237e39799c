/* plugins.h - floor 4: loading plugins, switching probes. Private to core/. */
#ifndef EBB_PLUGINS_H
#define EBB_PLUGINS_H
#include "registry.h"

ebb_status ebb__load_builtin(ebb *e);
void ebb__probes_off(ebb *e);
#endif
