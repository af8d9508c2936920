# libraasd: every module of the daemon but its main, so that tests can link them.
noinst_LIBRARIES += libraasd.a
libraasd_a_SOURCES = \
	daemon/app-repo.c daemon/app-repo.h \
	daemon/atomic-file.c daemon/atomic-file.h \
	daemon/config-branch.c daemon/config-branch.h \
	daemon/config-edit.c daemon/config-edit.h \
	daemon/config-repo.c daemon/config-repo.h \
	daemon/config-view.c daemon/config-view.h \
	daemon/control.c daemon/control.h \
	daemon/control-service.c daemon/control-service.h \
	daemon/control-socket.c daemon/control-socket.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/log.c daemon/log.h \
	daemon/metadata-merge.c daemon/metadata-merge.h \
	daemon/observed.c daemon/observed.h \
	daemon/plan.c daemon/plan.h \
	daemon/repo.c daemon/repo.h \
	daemon/repo-pack.c daemon/repo-pack.h \
	daemon/scheduler.c daemon/scheduler.h \
	daemon/state.c daemon/state.h \
	daemon/workers.c daemon/workers.h
