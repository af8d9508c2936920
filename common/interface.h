/* interface.h - the text of raas.varlink, as GetInterfaceDescription answers it. */
#ifndef COMMON_INTERFACE_H
#define COMMON_INTERFACE_H

#define INTERFACE_NAME "io.raas.control"

/* The errors of the interface, by the names that go over the wire. */
#define ERROR_FAILED	 INTERFACE_NAME ".Failed"
#define ERROR_UNKNOWN_ISV INTERFACE_NAME ".UnknownIsv"
#define ERROR_BUSY	 INTERFACE_NAME ".Busy"
#define ERROR_STOPPED	 INTERFACE_NAME ".Cancelled"

/* Those of the standard interface, https://varlink.org/Service. */
#define VARLINK_SERVICE		 "org.varlink.service"
#define VARLINK_NO_INTERFACE	 VARLINK_SERVICE ".InterfaceNotFound"
#define VARLINK_NO_METHOD	 VARLINK_SERVICE ".MethodNotFound"
#define VARLINK_NOT_IMPLEMENTED	 VARLINK_SERVICE ".MethodNotImplemented"
#define VARLINK_BAD_PARAMETER	 VARLINK_SERVICE ".InvalidParameter"
#define VARLINK_DENIED		 VARLINK_SERVICE ".PermissionDenied"
#define VARLINK_EXPECTED_MORE	 VARLINK_SERVICE ".ExpectedMore"

extern const char interface_description[];

#endif
