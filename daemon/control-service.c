#include "daemon/control-service.h"

#include <string.h>

#include "common/json.h"

/* The interface is fixed by https://varlink.org/Service, which has only names and types. */
static const char service_description[] =
    "# What every Varlink service answers about itself.\n"
    "interface " VARLINK_SERVICE "\n\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n"
    "  product: string,\n"
    "  version: string,\n"
    "  url: string,\n"
    "  interfaces: []string\n"
    ")\n\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
    "error InterfaceNotFound (interface: string)\n\n"
    "error MethodNotFound (method: string)\n\n"
    "error MethodNotImplemented (method: string)\n\n"
    "error InvalidParameter (parameter: string)\n\n"
    "error PermissionDenied ()\n\n"
    "# The method was called without `more`, which it needs.\n"
    "error ExpectedMore ()\n";

static void
get_info(struct control_call *call, const char *version)
{
	json_t *reply = json_object();
	json_t *interfaces = json_array();

	json_array_append_new(interfaces, json_string(VARLINK_SERVICE));
	json_array_append_new(interfaces, json_string(INTERFACE_NAME));
	json_object_set_new(reply, "vendor", json_string("raasd"));
	json_object_set_new(reply, "product", json_string("raasd"));
	json_object_set_new(reply, "version", json_text(version));
	json_object_set_new(reply, "url", json_string(""));
	json_object_set_new(reply, "interfaces", interfaces);
	control_reply(call, reply);
}

static void
get_description(struct control_call *call)
{
	const char *name = json_string_or(control_call_parameters(call), "interface", NULL);
	const char *text = NULL;

	if (name == NULL) {
		control_fail(call, VARLINK_BAD_PARAMETER, json_pack("{s:s}", "parameter",
		    "interface"));
		return;
	}
	if (strcmp(name, VARLINK_SERVICE) == 0)
		text = service_description;
	else if (strcmp(name, INTERFACE_NAME) == 0)
		text = interface_description;
	if (text != NULL)
		control_reply(call, json_pack("{s:s}", "description", text));
	else
		control_fail(call, VARLINK_NO_INTERFACE, json_pack("{s:s}", "interface", name));
}

void
control_service(struct control_call *call, const char *method, const char *version)
{
	if (strcmp(method, "GetInfo") == 0)
		get_info(call, version);
	else if (strcmp(method, "GetInterfaceDescription") == 0)
		get_description(call);
	else
		control_fail(call, VARLINK_NO_METHOD, json_pack("{s:s+}", "method",
		    VARLINK_SERVICE ".", method));
}
