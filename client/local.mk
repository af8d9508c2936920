# raasctl: links common and jansson, nothing of the daemon.
