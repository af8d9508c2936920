/* fuzz-message - a stream of bytes through the framing and the reading of calls and replies, in
 * pieces whose size the first byte says. What is a call of a known method is checked against
 * its row. */
#include <stddef.h>
#include <stdint.h>

#include "common/frame.h"
#include "common/message.h"
#include "common/methods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_one(const char *text, size_t len)
{
	struct message_reply reply = { 0 };
	struct message_call call = { 0 };
	const struct method *m;
	const char *wrong = NULL;
	struct error err;

	if (message_call_read(text, len, &call, &err) == 0 &&
	    (m = method_by_name(call.method)) != NULL)
		method_check(m, call.parameters, &wrong, &err);
	message_call_done(&call);
	if (message_reply_read(text, len, &reply, &err) == 0)
		message_reply_done(&reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = FRAME_INIT(4096);
	const char *text;
	size_t piece, len, n;

	if (size == 0)
		return 0;
	piece = (size_t)data[0] + 1;
	for (data++, size--; size > 0; data += n, size -= n) {
		n = size < piece ? size : piece;
		if (!frame_add(&f, data, n))
			break;
		while (frame_next(&f, &text, &len))
			read_one(text, len);
	}
	frame_done(&f);
	return 0;
}
