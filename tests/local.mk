# A unit test is tests/unit/test-MODULE.c, prints TAP, and links the daemon's library.
check_PROGRAMS += \
	tests/unit/control-fixture \
	tests/unit/test-app-repo \
	tests/unit/test-arguments \
	tests/unit/test-buf \
	tests/unit/test-config-repo \
	tests/unit/test-control \
	tests/unit/test-error \
	tests/unit/test-frame \
	tests/unit/test-json \
	tests/unit/test-message \
	tests/unit/test-metadata-merge \
	tests/unit/test-methods \
	tests/unit/test-plan \
	tests/unit/test-rfc3339 \
	tests/unit/test-scheduler \
	tests/unit/test-show \
	tests/unit/test-state \
	tests/unit/test-workers

tests_unit_test_arguments_LDADD = libraasctl.a libcommon.a $(JANSSON_LIBS)
tests_unit_test_show_LDADD = libraasctl.a libcommon.a $(JANSSON_LIBS)

EXTRA_DIST += tests/unit/test.h tests/unit/test-git.h

# A libFuzzer target for each parser of bytes from outside; tests/fuzz-one runs them.
if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-message

tests_fuzz_fuzz_json_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_message_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
endif
