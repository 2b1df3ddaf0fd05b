"""The nodes of a cluster prove, before they get work, that SRC, DST and the software there are the coordinator's."""
