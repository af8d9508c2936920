#include "daemon/digest.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/unit/test.h"

TEST(sha256_of_fips_180_4)
{
	char hex[SHA256_HEX_SIZE];

	digest_sha256_hex("", 0, hex);
	CHECK_STR(hex, SHA256_HEX_EMPTY);
	digest_sha256_hex("abc", 3, hex);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231, test case 2; and 6, whose key is longer than a block. */
TEST(hmac_of_rfc_4231)
{
	static const char data[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	unsigned char key[131], raw[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, raw);
	digest_hex(raw, sizeof(raw), hex);
	CHECK_STR(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256(key, sizeof(key), data, strlen(data), raw);
	digest_hex(raw, sizeof(raw), hex);
	CHECK_STR(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(md5_of_rfc_1321)
{
	char base64[MD5_BASE64_SIZE];

	digest_md5_base64("abc", 3, base64);
	CHECK_STR(base64, "kAFQmDzST7DWlj99KOF/cg==");
}

TEST(part_of_a_file)
{
	cleanup(close_p) int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct deadline soon = deadline_in(5000, NULL), past = deadline_in(-1, NULL);
	char hex[SHA256_HEX_SIZE] = "untouched";
	struct error err = ERROR_INIT;

	CHECK(fd != -1);
	CHECK_INT(write(fd, "xxabcyy", 7), 7);
	CHECK_INT(digest_sha256_fd(fd, 5, 3, hex, &soon, &err), -1);
	CHECK_INT(err.kind, ERROR_INPUT);
	CHECK_STR(err.text, "the file ends early, at byte 7");
	CHECK_INT(digest_sha256_fd(fd, 2, 3, hex, &past, &err), -1);
	CHECK_STR(err.text, "no answer in time");
	CHECK_STR(hex, "untouched");
	CHECK_INT(digest_sha256_fd(fd, 2, 3, hex, &soon, &err), 0);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 7);
}

int
main(void)
{
	return RUN(CASE(sha256_of_fips_180_4), CASE(hmac_of_rfc_4231), CASE(md5_of_rfc_1321),
	    CASE(part_of_a_file));
}
