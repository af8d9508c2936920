#include "common/message.h"

#include <stdlib.h>

#include "common/json.h"
#include "tests/unit/test.h"

static int
read_call(const char *text, struct message_call *out, struct error *err)
{
	return message_call_read(text, strlen(text), out, err);
}

TEST(calls_are_taken_apart)
{
	cleanup(message_call_done) struct message_call full = { 0 }, bare = { 0 };
	struct error err = ERROR_INIT;

	CHECK_INT(read_call("{\"method\":\"io.raas.control.Sync\",\"parameters\":{\"all\":true},"
	    "\"more\":true,\"oneway\":false,\"upgrade\":null,\"other\":1}", &full, &err), 0);
	CHECK_STR(full.interface, "io.raas.control");
	CHECK_STR(full.method, "Sync");
	CHECK(full.more && !full.oneway && !full.upgrade);
	CHECK(json_bool_or(full.parameters, "all", false));
	CHECK_INT(read_call("{\"method\":\"a.b\"}", &bare, &err), 0);
	CHECK(json_is_object(bare.parameters));
}

TEST(what_is_no_call_is_said)
{
	static const char *const cases[][2] = {
		{ "{}", "key 'method' is missing" },
		{ "{\"method\":1}", "key 'method' is not a string" },
		{ "{\"method\":\"a\"}", "key 'method' is not INTERFACE.METHOD" },
		{ "{\"method\":\"a.\"}", "key 'method' is not INTERFACE.METHOD" },
		{ "{\"method\":\"a/b.c\"}", "key 'method' is not INTERFACE.METHOD" },
		{ "{\"method\":\"a.b\",\"more\":1}", "key 'more' is not true or false" },
		{ "{\"method\":\"a.b\",\"parameters\":[]}", "key 'parameters' is not an object" },
		{ "[1]", "not a JSON object" },
	};
	struct message_call call = { 0 };
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(read_call(cases[i][0], &call, &err), -1);
		CHECK_STR(err.text, cases[i][1]);
		CHECK_INT(err.kind, ERROR_INPUT);
		CHECK(call.method == NULL);
	}
}

TEST(what_is_built_can_be_read)
{
	cleanup(free_p) char *call = message_call("a.b.C", json_pack("{s:i}", "n", 1), true);
	cleanup(free_p) char *event = message_reply(NULL, true);
	cleanup(free_p) char *error = message_error("a.b.E", json_pack("{s:s}", "x", "y"));
	cleanup(message_reply_done) struct message_reply reply = { 0 }, failed = { 0 };
	struct error err;

	CHECK_STR(call, "{\"method\":\"a.b.C\",\"more\":true,\"parameters\":{\"n\":1}}");
	CHECK_STR(event, "{\"continues\":true,\"parameters\":{}}");
	CHECK_INT(message_reply_read(event, strlen(event), &reply, &err), 0);
	CHECK(reply.continues && reply.error == NULL && json_is_object(reply.parameters));
	CHECK_INT(message_reply_read(error, strlen(error), &failed, &err), 0);
	CHECK(!failed.continues);
	CHECK_STR(failed.error, "a.b.E");
	CHECK_STR(json_string_or(failed.parameters, "x", ""), "y");
}

TEST(replies_are_checked)
{
	static const char *const bad[] = {
		"", "[]", "{\"error\":1}", "{\"continues\":1}", "{\"parameters\":1}", "{\"error\":",
	};
	struct message_reply reply = { 0 };
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(message_reply_read(bad[i], strlen(bad[i]), &reply, &err), -1);
}

int
main(void)
{
	return RUN(CASE(calls_are_taken_apart), CASE(what_is_no_call_is_said),
	    CASE(what_is_built_can_be_read), CASE(replies_are_checked));
}
