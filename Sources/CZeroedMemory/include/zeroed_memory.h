// The module has nothing to call: linking it replaces `calloc` (calloc.c).
