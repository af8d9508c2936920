# A unit test is tests/unit/test-MODULE.c, prints TAP, and links the daemon's library.
check_PROGRAMS += \
	tests/unit/test-buf \
	tests/unit/test-digest \
	tests/unit/test-error \
	tests/unit/test-http \
	tests/unit/test-json \
	tests/unit/test-s3 \
	tests/unit/test-s3-sign \
	tests/unit/test-s3-xml

tests_unit_test_http_SOURCES = tests/unit/test-http.c tests/unit/http-server.c \
	tests/unit/http-server.h
tests_unit_test_s3_SOURCES = tests/unit/test-s3.c tests/unit/http-server.c \
	tests/unit/http-server.h

EXTRA_DIST += tests/unit/test.h
