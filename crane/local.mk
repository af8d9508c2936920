# raas-crane: the redirector. libcrane is all of it but its main, so that tests can link it. Of
# the daemon it has the pure functions that both need, and nothing that reads its settings.
noinst_LIBRARIES += libcrane.a
libcrane_a_SOURCES = \
	crane/accept.c crane/accept.h \
	crane/answer.c crane/answer.h \
	crane/connection.c crane/connection.h \
	crane/keys.c crane/keys.h \
	crane/live.c crane/live.h \
	crane/load.c crane/load.h \
	crane/location.c crane/location.h \
	crane/pages.c crane/pages.h \
	crane/paging.c crane/paging.h \
	crane/presign.c crane/presign.h \
	crane/request.c crane/request.h \
	crane/server.c crane/server.h \
	crane/service.c crane/service.h \
	crane/store.c crane/store.h \
	crane/tls.c crane/tls.h \
	crane/tree.c crane/tree.h \
	crane/v1.c crane/v1.h \
	crane/v2.c crane/v2.h \
	crane/watch.c crane/watch.h \
	daemon/crane-metadata.c daemon/crane-metadata.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/digest.c daemon/digest.h \
	daemon/s3-sign.c daemon/s3-sign.h

CRANE_LIBS = $(JANSSON_LIBS) $(LIBEVENT_OPENSSL_LIBS) $(LIBEVENT_LIBS) $(CRYPTO_LIBS)

bin_PROGRAMS += raas-crane
raas_crane_SOURCES = crane/raas-crane.c
raas_crane_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
