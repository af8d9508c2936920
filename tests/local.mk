# A unit test is tests/unit/test-MODULE.c, prints TAP, and links the daemon's library.
check_PROGRAMS += \
	tests/bench/http-load \
	tests/git-client \
	tests/openshift-suite \
	tests/s3-suite \
	tests/source-client \
	tests/tables \
	tests/unit/control-fixture \
	tests/unit/test-access \
	tests/unit/test-access-policy \
	tests/unit/test-app-repo \
	tests/unit/test-arguments \
	tests/unit/test-buf \
	tests/unit/test-cfg-section \
	tests/unit/test-challenge \
	tests/unit/test-config \
	tests/unit/test-config-repo \
	tests/unit/test-control \
	tests/unit/test-crane-location \
	tests/unit/test-crane-metadata \
	tests/unit/test-crane-request \
	tests/unit/test-crane-server \
	tests/unit/test-crane-store \
	tests/unit/test-crane-v1 \
	tests/unit/test-crane-v2 \
	tests/unit/test-crane-watch \
	tests/unit/test-crane-write \
	tests/unit/test-crew \
	tests/unit/test-digest \
	tests/unit/test-dispatch \
	tests/unit/test-error \
	tests/unit/test-frame \
	tests/unit/test-gc \
	tests/unit/test-git \
	tests/unit/test-git-ssh \
	tests/unit/test-git-url \
	tests/unit/test-health \
	tests/unit/test-http \
	tests/unit/test-image \
	tests/unit/test-isv \
	tests/unit/test-json \
	tests/unit/test-layer \
	tests/unit/test-line-diff \
	tests/unit/test-login \
	tests/unit/test-loopback \
	tests/unit/test-manifest \
	tests/unit/test-mask \
	tests/unit/test-message \
	tests/unit/test-metadata-merge \
	tests/unit/test-methods \
	tests/unit/test-openshift \
	tests/unit/test-openshift-answer \
	tests/unit/test-origin \
	tests/unit/test-plan \
	tests/unit/test-process \
	tests/unit/test-raas-cfg \
	tests/unit/test-redhat-index \
	tests/unit/test-redhat-metadata \
	tests/unit/test-repository \
	tests/unit/test-references \
	tests/unit/test-rfc3339 \
	tests/unit/test-s3 \
	tests/unit/test-s3-sign \
	tests/unit/test-s3-xml \
	tests/unit/test-scheduler \
	tests/unit/test-settings \
	tests/unit/test-show \
	tests/unit/test-state \
	tests/unit/test-tarball \
	tests/unit/test-time-skip \
	tests/unit/test-upload \
	tests/unit/test-validate \
	tests/unit/test-watchdog \
	tests/unit/test-workers

tests_unit_test_arguments_LDADD = libraasctl.a libcommon.a $(JANSSON_LIBS)
tests_unit_test_crane_location_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_request_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_server_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_store_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_v1_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_v2_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_crane_watch_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_unit_test_show_LDADD = libraasctl.a libcommon.a $(JANSSON_LIBS)

tests_bench_http_load_LDADD = libcommon.a $(JANSSON_LIBS)

# Run by system tests, against the servers that they start.
tests_git_client_SOURCES = tests/git-client.c
tests_openshift_suite_SOURCES = tests/openshift-suite.c
tests_s3_suite_SOURCES = tests/s3-suite.c
tests_source_client_SOURCES = tests/source-client.c

tests_tables_SOURCES = tests/tables.c
tests_tables_LDADD = libraasctl.a libraasd.a libcommon.a $(DAEMON_LIBS)

tests_unit_test_crane_server_SOURCES = tests/unit/test-crane-server.c \
	tests/unit/crane-ask.c tests/unit/crane-ask.h
tests_unit_test_crane_v1_SOURCES = tests/unit/test-crane-v1.c \
	tests/unit/crane-ask.c tests/unit/crane-ask.h
tests_unit_test_crane_v2_SOURCES = tests/unit/test-crane-v2.c \
	tests/unit/crane-ask.c tests/unit/crane-ask.h
tests_unit_test_health_SOURCES = tests/unit/test-health.c \
	tests/unit/http-server.c tests/unit/http-server.h
tests_unit_test_http_SOURCES = tests/unit/test-http.c tests/unit/http-server.c \
	tests/unit/http-server.h
tests_unit_test_openshift_SOURCES = tests/unit/test-openshift.c \
	tests/unit/http-server.c tests/unit/http-server.h
tests_unit_test_origin_SOURCES = tests/unit/test-origin.c tests/unit/http-server.c \
	tests/unit/http-server.h
tests_unit_test_redhat_metadata_SOURCES = tests/unit/test-redhat-metadata.c \
	tests/unit/http-server.c tests/unit/http-server.h
tests_unit_test_s3_SOURCES = tests/unit/test-s3.c tests/unit/http-server.c \
	tests/unit/http-server.h
tests_unit_test_upload_SOURCES = tests/unit/test-upload.c tests/unit/http-server.c \
	tests/unit/http-server.h
tests_unit_test_validate_SOURCES = tests/unit/test-validate.c tests/unit/http-server.c \
	tests/unit/http-server.h

EXTRA_DIST += tests/README tests/bench/crane tests/bench/publish tests/bench/run tests/build tests/ceph-rgw tests/data \
	tests/fuzz-one tests/fuzz/corpus tests/install-deps tests/quickstart tests/run \
	tests/runner.py tests/sshd tests/static tests/supervise.py tests/system tests/tsan.supp \
	tests/unit/test-git.h tests/unit/test.h

# A libFuzzer target for each parser of bytes from outside; tests/fuzz-one runs them.
if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz-challenge \
	tests/fuzz/fuzz-crane-metadata \
	tests/fuzz/fuzz-crane-request \
	tests/fuzz/fuzz-git-url \
	tests/fuzz/fuzz-http-url \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-login \
	tests/fuzz/fuzz-manifest \
	tests/fuzz/fuzz-message \
	tests/fuzz/fuzz-openshift-answer \
	tests/fuzz/fuzz-raas-cfg \
	tests/fuzz/fuzz-redhat-index \
	tests/fuzz/fuzz-s3-xml \
	tests/fuzz/fuzz-settings-yaml \
	tests/fuzz/fuzz-source-archive

tests_fuzz_fuzz_challenge_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_crane_metadata_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_crane_request_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_crane_request_SOURCES = tests/fuzz/fuzz-crane-request.c \
	tests/unit/crane-ask.c tests/unit/crane-ask.h
tests_fuzz_fuzz_crane_request_LDADD = libcrane.a libcommon.a $(CRANE_LIBS)
tests_fuzz_fuzz_git_url_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_http_url_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_login_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_manifest_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_message_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_openshift_answer_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_raas_cfg_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_redhat_index_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_s3_xml_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_settings_yaml_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_source_archive_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
endif

# The stand-in for OpenShift and S3 has code of its own and links nothing of the daemon; its apps
# run raas-crane.
check_PROGRAMS += tests/sandbox/sandbox
tests_sandbox_sandbox_SOURCES = \
	tests/sandbox/app-git.c tests/sandbox/app-git.h \
	tests/sandbox/apps-face.c tests/sandbox/apps-face.h \
	tests/sandbox/apps.c tests/sandbox/apps.h \
	tests/sandbox/broker-apps.c \
	tests/sandbox/broker-call.h \
	tests/sandbox/broker-domains.c \
	tests/sandbox/broker-parts.c \
	tests/sandbox/broker-user.c \
	tests/sandbox/broker.c tests/sandbox/broker.h \
	tests/sandbox/control.c tests/sandbox/control.h \
	tests/sandbox/crane-app.c tests/sandbox/crane-app.h \
	tests/sandbox/crane-face.c tests/sandbox/crane-face.h \
	tests/sandbox/face.c tests/sandbox/face.h \
	tests/sandbox/faults.c tests/sandbox/faults.h \
	tests/sandbox/ports.c tests/sandbox/ports.h \
	tests/sandbox/preset.c \
	tests/sandbox/record.c tests/sandbox/record.h \
	tests/sandbox/s3-access.c \
	tests/sandbox/s3-auth.c \
	tests/sandbox/s3-bucket.c \
	tests/sandbox/s3-content.c tests/sandbox/s3-content.h \
	tests/sandbox/s3-multipart.c \
	tests/sandbox/s3-object.c \
	tests/sandbox/s3-policy.c \
	tests/sandbox/s3.c tests/sandbox/s3.h \
	tests/sandbox/sandbox.c \
	tests/sandbox/table.c tests/sandbox/table.h \
	tests/sandbox/xml.c tests/sandbox/xml.h
tests_sandbox_sandbox_LDADD = libcrane.a libcommon.a $(LIBGIT2_LIBS) $(CRANE_LIBS)
