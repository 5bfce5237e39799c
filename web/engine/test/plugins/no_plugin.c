/* no_plugin.c - floor 7: a module for the tests that can be linked, but is no plugin. */
int seven(void) { return 7; }
