# common: what the daemon and the client share; libc and jansson only.
noinst_LIBRARIES += libcommon.a
libcommon_a_SOURCES = \
	common/alloc.c common/alloc.h \
	common/buf.c common/buf.h \
	common/cleanup.h \
	common/error.c common/error.h \
	common/frame.c common/frame.h \
	common/interface.c common/interface.h \
	common/json.c common/json.h \
	common/limits.c common/limits.h \
	common/message.c common/message.h \
	common/methods.c common/methods.h \
	common/rfc3339.c common/rfc3339.h \
	common/text.h
nodist_libcommon_a_SOURCES = common/raas-varlink.inc

EXTRA_DIST += common/raas.varlink
CLEANFILES += common/raas-varlink.inc

# The interface's description as a C string, for GetInterfaceDescription.
common/raas-varlink.inc: common/raas.varlink
	$(AM_V_GEN)$(MKDIR_P) common && \
	sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $(srcdir)/common/raas.varlink > $@.tmp && \
	mv $@.tmp $@
common/interface.$(OBJEXT): common/raas-varlink.inc
