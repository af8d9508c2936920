# A unit test is tests/unit/test-MODULE.c, prints TAP, and links the daemon's library.
check_PROGRAMS += \
	tests/unit/test-buf \
	tests/unit/test-config \
	tests/unit/test-error \
	tests/unit/test-isv \
	tests/unit/test-json \
	tests/unit/test-metadata-merge \
	tests/unit/test-plan \
	tests/unit/test-raas-cfg \
	tests/unit/test-scheduler \
	tests/unit/test-settings \
	tests/unit/test-state \
	tests/unit/test-workers

EXTRA_DIST += tests/unit/test.h

# A libFuzzer target for each parser of bytes from outside; tests/fuzz-one runs them.
if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-raas-cfg \
	tests/fuzz/fuzz-settings-yaml

tests_fuzz_fuzz_json_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_raas_cfg_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
tests_fuzz_fuzz_settings_yaml_LDFLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
endif
