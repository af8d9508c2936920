# libraasd: every module of the daemon but its main, so that tests can link them.
noinst_LIBRARIES += libraasd.a
libraasd_a_SOURCES = \
	daemon/deadline.c daemon/deadline.h \
	daemon/digest.c daemon/digest.h \
	daemon/http.c daemon/http.h \
	daemon/log.c daemon/log.h \
	daemon/s3.c daemon/s3.h \
	daemon/s3-call.c daemon/s3-call.h \
	daemon/s3-sign.c daemon/s3-sign.h \
	daemon/s3-xml.c daemon/s3-xml.h
