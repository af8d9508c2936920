# libraasd: every module of the daemon but its main, so that tests can link them.
noinst_LIBRARIES += libraasd.a
libraasd_a_SOURCES = \
	crane/request.c crane/request.h \
	daemon/access-policy.c daemon/access-policy.h \
	daemon/access.c daemon/access.h \
	daemon/account.c daemon/account.h \
	daemon/act.c daemon/act.h \
	daemon/app-repo.c daemon/app-repo.h \
	daemon/atomic-file.c daemon/atomic-file.h \
	daemon/bucket-metadata.c daemon/bucket-metadata.h \
	daemon/cfg-section.c daemon/cfg-section.h \
	daemon/challenge.c daemon/challenge.h \
	daemon/check.c daemon/check.h \
	daemon/commit-signature.c daemon/commit-signature.h \
	daemon/config-branch.c daemon/config-branch.h \
	daemon/config-build.c daemon/config-build.h \
	daemon/config-edit.c daemon/config-edit.h \
	daemon/config-json.c \
	daemon/config-keys.c daemon/config-keys.h \
	daemon/config-repo.c daemon/config-repo.h \
	daemon/config-trust.c daemon/config-trust.h \
	daemon/config-view.c daemon/config-view.h \
	daemon/config.c daemon/config.h \
	daemon/control-service.c daemon/control-service.h \
	daemon/control-socket.c daemon/control-socket.h \
	daemon/control.c daemon/control.h \
	daemon/counters.h \
	daemon/crane-metadata.c daemon/crane-metadata.h \
	daemon/crane-write.c daemon/crane-write.h \
	daemon/credential.c daemon/credential.h \
	daemon/crew.c daemon/crew.h \
	daemon/daemon-clock.c \
	daemon/daemon-commit.c \
	daemon/daemon-config.c \
	daemon/daemon-sweep.c \
	daemon/daemon.c daemon/daemon.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/digest.c daemon/digest.h \
	daemon/dispatch.c \
	daemon/events.c daemon/events.h \
	daemon/exporter.c daemon/exporter.h \
	daemon/extent.c daemon/extent.h \
	daemon/fetch.c daemon/fetch.h \
	daemon/gc.c daemon/gc.h \
	daemon/git-http.c \
	daemon/git-ssh.c daemon/git-ssh.h \
	daemon/git-transport.h \
	daemon/git-url.c daemon/git-url.h \
	daemon/git.c daemon/git.h \
	daemon/handlers.h \
	daemon/health.c daemon/health.h \
	daemon/http.c daemon/http.h \
	daemon/image-draft.c \
	daemon/image-mask.c daemon/image-mask.h \
	daemon/image-walk.c daemon/image-walk.h \
	daemon/image.c daemon/image.h \
	daemon/images-job.c daemon/images-job.h \
	daemon/incident.c daemon/incident.h \
	daemon/inventory.c daemon/inventory.h \
	daemon/isv.c daemon/isv.h \
	daemon/keeper.c daemon/keeper.h \
	daemon/layer.c daemon/layer.h \
	daemon/line-diff.c daemon/line-diff.h \
	daemon/log.c daemon/log.h \
	daemon/login.c daemon/login.h \
	daemon/loopback.c daemon/loopback.h \
	daemon/manifest.c daemon/manifest.h \
	daemon/mask-job.c daemon/mask-job.h \
	daemon/mask.c daemon/mask.h \
	daemon/metadata-merge.c daemon/metadata-merge.h \
	daemon/method-config.c \
	daemon/method-gc.c \
	daemon/method-log.c \
	daemon/method-monitor.c \
	daemon/method-pause.c \
	daemon/method-setup.c \
	daemon/method-publish.c \
	daemon/method-status.c \
	daemon/method-sync.c \
	daemon/method-teardown.c \
	daemon/method-validate.c \
	daemon/method-wait.c \
	daemon/metrics-server.c daemon/metrics-server.h \
	daemon/metrics.c daemon/metrics.h \
	daemon/nearest.c daemon/nearest.h \
	daemon/notify.c daemon/notify.h \
	daemon/observe-bucket.c daemon/observe-bucket.h \
	daemon/observe.c daemon/observe.h \
	daemon/observed.c daemon/observed.h \
	daemon/openshift-answer.c daemon/openshift-answer.h \
	daemon/openshift.c daemon/openshift.h \
	daemon/origin.c daemon/origin.h \
	daemon/overview.c daemon/overview.h \
	daemon/plan.c daemon/plan.h \
	daemon/problems.c daemon/problems.h \
	daemon/process.c daemon/process.h \
	daemon/publish-blobs.c \
	daemon/publish-deploy.c \
	daemon/publish-work.h \
	daemon/publish.c daemon/publish.h \
	daemon/raas-cfg.c daemon/raas-cfg.h \
	daemon/reconcile.c daemon/reconcile.h \
	daemon/redhat-index.c daemon/redhat-index.h \
	daemon/redhat-metadata.c daemon/redhat-metadata.h \
	daemon/references.c daemon/references.h \
	daemon/registry-log.c \
	daemon/registry-result.c daemon/registry-result.h \
	daemon/registry.c daemon/registry.h \
	daemon/repo-pack.c daemon/repo-pack.h \
	daemon/repo.c daemon/repo.h \
	daemon/repository.c daemon/repository.h \
	daemon/s3-call.c daemon/s3-call.h \
	daemon/s3-sign.c daemon/s3-sign.h \
	daemon/s3-xml.c daemon/s3-xml.h \
	daemon/s3.c daemon/s3.h \
	daemon/scheduler.c daemon/scheduler.h \
	daemon/settings.c daemon/settings.h \
	daemon/source-docker-archive.c \
	daemon/source-kind.h \
	daemon/source-oci.c \
	daemon/source-pulp.c \
	daemon/source-registry.c \
	daemon/source.c daemon/source.h \
	daemon/span.c daemon/span.h \
	daemon/state.c daemon/state.h \
	daemon/sweep-job.c daemon/sweep-job.h \
	daemon/sync-reply.c daemon/sync-reply.h \
	daemon/tarball.c daemon/tarball.h \
	daemon/teardown.c daemon/teardown.h \
	daemon/time-skip.c daemon/time-skip.h \
	daemon/tree.c daemon/tree.h \
	daemon/troubles.c daemon/troubles.h \
	daemon/unpack.c daemon/unpack.h \
	daemon/upload.c daemon/upload.h \
	daemon/url.c daemon/url.h \
	daemon/validate-ask.c daemon/validate-ask.h \
	daemon/validate-job.c daemon/validate-job.h \
	daemon/validate-v1.c \
	daemon/validate-v2.c \
	daemon/validate.c daemon/validate.h \
	daemon/verdict.c daemon/verdict.h \
	daemon/watchdog.c daemon/watchdog.h \
	daemon/words.c daemon/words.h \
	daemon/workers.c daemon/workers.h \
	daemon/yaml.c daemon/yaml.h

sbin_PROGRAMS += raasd
raasd_SOURCES = daemon/raasd.c
