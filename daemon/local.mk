# libraasd: every module of the daemon but its main, so that tests can link them.
noinst_LIBRARIES += libraasd.a
libraasd_a_SOURCES = \
	daemon/atomic-file.c daemon/atomic-file.h \
	daemon/control.c daemon/control.h \
	daemon/control-service.c daemon/control-service.h \
	daemon/control-socket.c daemon/control-socket.h \
	daemon/crane-metadata.c daemon/crane-metadata.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/digest.c daemon/digest.h \
	daemon/health.c daemon/health.h \
	daemon/http.c daemon/http.h \
	daemon/log.c daemon/log.h \
	daemon/metadata-merge.c daemon/metadata-merge.h \
	daemon/observed.c daemon/observed.h \
	daemon/openshift.c daemon/openshift.h \
	daemon/openshift-answer.c daemon/openshift-answer.h \
	daemon/plan.c daemon/plan.h \
	daemon/s3.c daemon/s3.h \
	daemon/s3-call.c daemon/s3-call.h \
	daemon/s3-sign.c daemon/s3-sign.h \
	daemon/s3-xml.c daemon/s3-xml.h \
	daemon/scheduler.c daemon/scheduler.h \
	daemon/state.c daemon/state.h \
	daemon/workers.c daemon/workers.h
