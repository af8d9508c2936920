# common: what the daemon and the client share; libc and jansson only.
noinst_LIBRARIES += libcommon.a
libcommon_a_SOURCES = \
	common/alloc.c common/alloc.h \
	common/buf.c common/buf.h \
	common/cleanup.h \
	common/error.c common/error.h \
	common/json.c common/json.h
