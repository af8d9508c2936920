#include "common/message.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

/* Of a method or an error with its interface; longer ones are nobody's. */
#define NAME_MAX_BYTES 255

static json_t *
read_object(const char *data, size_t len, struct error *err)
{
	cleanup(json_unref) json_t *doc = json_read(data, len, MESSAGE_DEPTH_MAX, err);

	if (doc != NULL && !json_is_object(doc)) {
		error_set(err, ERROR_INPUT, "not a JSON object");
		return NULL;
	}
	return steal(doc);
}

/* The member's value, or false when it is absent; -1: of another type. */
static int
read_flag(const json_t *doc, const char *key, bool *out, struct error *err)
{
	const json_t *value = json_object_get(doc, key);

	if (value != NULL && !json_is_boolean(value) && !json_is_null(value))
		return error_set(err, ERROR_INPUT, "key '%s' is not true or false", key);
	*out = json_is_true(value);
	return 0;
}

/* A new reference to the member `parameters`; {} when it is absent. */
static json_t *
read_parameters(const json_t *doc, struct error *err)
{
	json_t *value = json_object_get(doc, "parameters");

	if (value == NULL || json_is_null(value))
		return json_object();
	if (!json_is_object(value)) {
		error_set(err, ERROR_INPUT, "key 'parameters' is not an object");
		return NULL;
	}
	return json_incref(value);
}

/* Varlink's names are letters, digits, dots and hyphens; the last part is the method's. */
static int
split_name(const char *name, char **interface, char **method, struct error *err)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
	const char *dot = strrchr(name, '.');

	if (strlen(name) > NAME_MAX_BYTES || dot == NULL || dot == name || dot[1] == '\0' ||
	    name[strspn(name, allowed)] != '\0')
		return error_set(err, ERROR_INPUT, "key 'method' is not INTERFACE.METHOD");
	*interface = xstrndup(name, (size_t)(dot - name));
	*method = xstrdup(dot + 1);
	return 0;
}

int
message_call_read(const char *data, size_t len, struct message_call *out, struct error *err)
{
	cleanup(json_unref) json_t *doc = read_object(data, len, err);
	cleanup(json_unref) json_t *parameters = NULL;
	struct message_call call = { 0 };
	const char *name;

	if (doc == NULL || (name = json_get_string(doc, "method", err)) == NULL ||
	    read_flag(doc, "more", &call.more, err) == -1 ||
	    read_flag(doc, "oneway", &call.oneway, err) == -1 ||
	    read_flag(doc, "upgrade", &call.upgrade, err) == -1 ||
	    (parameters = read_parameters(doc, err)) == NULL ||
	    split_name(name, &call.interface, &call.method, err) == -1)
		return -1;
	call.parameters = steal(parameters);
	*out = call;
	return 0;
}

void
message_call_done(struct message_call *call)
{
	json_decref(call->parameters);
	free(call->interface);
	free(call->method);
	*call = (struct message_call){ 0 };
}

int
message_reply_read(const char *data, size_t len, struct message_reply *out, struct error *err)
{
	cleanup(json_unref) json_t *doc = read_object(data, len, err);
	cleanup(json_unref) json_t *parameters = NULL;
	struct message_reply reply = { 0 };
	const json_t *error;

	if (doc == NULL || read_flag(doc, "continues", &reply.continues, err) == -1 ||
	    (parameters = read_parameters(doc, err)) == NULL)
		return -1;
	error = json_object_get(doc, "error");
	if (error != NULL && !json_is_null(error) && !json_is_string(error))
		return error_set(err, ERROR_INPUT, "key 'error' is not a string");
	reply.error = xstrdup(json_string_value(error));
	reply.parameters = steal(parameters);
	*out = reply;
	return 0;
}

void
message_reply_done(struct message_reply *reply)
{
	json_decref(reply->parameters);
	free(reply->error);
	*reply = (struct message_reply){ 0 };
}

/* Takes doc and parameters. */
static char *
text(json_t *doc, json_t *parameters)
{
	char *s;

	json_object_set_new(doc, "parameters", parameters != NULL ? parameters : json_object());
	s = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	/* What was built here can be written, but for want of memory. */
	if (s == NULL)
		abort();
	return s;
}

char *
message_call(const char *method, json_t *parameters, bool more)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "method", json_text(method));
	if (more)
		json_object_set_new(doc, "more", json_true());
	return text(doc, parameters);
}

char *
message_reply(json_t *parameters, bool continues)
{
	json_t *doc = json_object();

	if (continues)
		json_object_set_new(doc, "continues", json_true());
	return text(doc, parameters);
}

char *
message_error(const char *error, json_t *parameters)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "error", json_text(error));
	return text(doc, parameters);
}
