#include "common/interface.h"

/* Made from raas.varlink by a rule in local.mk. */
const char interface_description[] =
#include "common/raas-varlink.inc"
;
