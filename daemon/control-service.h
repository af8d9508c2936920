/* control-service.h - org.varlink.service, which every Varlink service has. Loop thread only. */
#ifndef DAEMON_CONTROL_SERVICE_H
#define DAEMON_CONTROL_SERVICE_H

#include "daemon/control.h"

/* Answers the call of `method` (GetInfo, GetInterfaceDescription, or an unknown one). */
void	 control_service(struct control_call *, const char *method, const char *version);

#endif
